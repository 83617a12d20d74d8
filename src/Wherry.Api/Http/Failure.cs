using Microsoft.AspNetCore.Http;
using Wherry.Errors;

namespace Wherry.Api.Http;

/// <summary>What a failed request is answered with.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Message">For the client.</param>
/// <param name="IsDefect">Nobody foresaw it: it goes to the log with its stack.</param>
public readonly record struct Failure(int Status, string Message, bool IsDefect)
{
    public static Failure Of(Exception exception) => exception switch
    {
        WherryException foreseen => new Failure(StatusOf(foreseen.Kind), foreseen.Message, IsDefect: false),
        BadHttpRequestException bad => new Failure(bad.StatusCode, bad.Message, IsDefect: false),
        OperationCanceledException => new Failure(StatusCodes.Status503ServiceUnavailable, "the engine is stopping", IsDefect: false),
        IOException io => new Failure(StatusCodes.Status500InternalServerError, io.Message, IsDefect: false),
        _ => new Failure(StatusCodes.Status500InternalServerError, exception.Message, IsDefect: true),
    };

    public static int StatusOf(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidParameter => StatusCodes.Status400BadRequest,
        ErrorKind.Unauthorized => StatusCodes.Status401Unauthorized,
        ErrorKind.Forbidden => StatusCodes.Status403Forbidden,
        ErrorKind.NotFound => StatusCodes.Status404NotFound,
        ErrorKind.Conflict => StatusCodes.Status409Conflict,
        ErrorKind.NotModified => StatusCodes.Status304NotModified,
        ErrorKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorKind.Unsupported => StatusCodes.Status501NotImplemented,
        ErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
