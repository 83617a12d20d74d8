namespace Wherry.Api.Http;

/// <summary>Where the HTTP layer says what happened.</summary>
public interface IRequestLog
{
    /// <summary>A request was answered; for those who follow in detail.</summary>
    void Request(string method, string path, int status);

    /// <summary>A request failed after its status had been sent.</summary>
    void Broken(string method, string path, string message);

    /// <summary>A request failed in a way nobody foresaw.</summary>
    void Defect(string method, string path, Exception exception);
}
