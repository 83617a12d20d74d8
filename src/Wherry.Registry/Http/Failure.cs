using Microsoft.AspNetCore.Http;
using Wherry.Errors;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Http;

/// <summary>What a failed request is answered with.</summary>
internal readonly record struct Failure(int Status, string Code, string Message, string? Detail, bool IsDefect)
{
    internal static Failure Of(Exception exception) => exception switch
    {
        RegistryException foreseen => new Failure(foreseen.Status, foreseen.Code, foreseen.Message, foreseen.Detail, IsDefect: false),
        WherryException foreseen => new Failure(StatusOf(foreseen.Kind), ErrorCode.Unknown, foreseen.Message, null, IsDefect: false),
        BadHttpRequestException bad => new Failure(bad.StatusCode, ErrorCode.Unknown, bad.Message, null, IsDefect: false),
        OperationCanceledException => new Failure(StatusCodes.Status503ServiceUnavailable, ErrorCode.Unknown, "the registry is stopping", null, IsDefect: false),
        IOException full when DiskFull.Is(full) => Of(DiskFull.Failure(full)),
        IOException io => new Failure(StatusCodes.Status500InternalServerError, ErrorCode.Unknown, io.Message, null, IsDefect: false),
        _ => new Failure(StatusCodes.Status500InternalServerError, ErrorCode.Unknown, exception.Message, null, IsDefect: true),
    };

    private static int StatusOf(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidParameter => StatusCodes.Status400BadRequest,
        ErrorKind.Forbidden => StatusCodes.Status403Forbidden,
        ErrorKind.NotFound => StatusCodes.Status404NotFound,
        ErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
