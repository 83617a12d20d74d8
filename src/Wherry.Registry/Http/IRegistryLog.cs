namespace Wherry.Registry.Http;

/// <summary>Where the registry says what happened.</summary>
public interface IRegistryLog
{
    /// <summary>Something the administrator wants to know: a push, a removal, a collection.</summary>
    void Info(string message);

    /// <summary>Something that went wrong without stopping anything.</summary>
    void Warn(string message);

    /// <summary>A request was answered; for those who follow in detail.</summary>
    void Request(string method, string path, int status);

    /// <summary>A request failed after its status had been sent.</summary>
    void Broken(string method, string path, string message);

    /// <summary>A request failed in a way nobody foresaw.</summary>
    void Defect(string method, string path, Exception exception);
}
