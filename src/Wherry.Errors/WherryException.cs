namespace Wherry.Errors;

/// <summary>
/// A failure with a cause a user can act on. Every layer throws it for what it foresees; anything else that
/// escapes is a defect and is answered with 500. The message names what was being done, the object, and,
/// where there is one, what to do next.
/// </summary>
public class WherryException : Exception
{
    /// <param name="kind">The category that decides status and exit code.</param>
    /// <param name="message">Shown to the user as it is: lower-case start, no trailing full stop.</param>
    /// <param name="inner">The underlying failure, for the log.</param>
    public WherryException(ErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    public ErrorKind Kind { get; }

    public static WherryException Invalid(string message, Exception? inner = null) => new(ErrorKind.InvalidParameter, message, inner);

    public static WherryException NotFound(string message) => new(ErrorKind.NotFound, message);

    public static WherryException Conflict(string message) => new(ErrorKind.Conflict, message);

    public static WherryException Unsupported(string message) => new(ErrorKind.Unsupported, message);

    public static WherryException System(string message, Exception? inner = null) => new(ErrorKind.System, message, inner);
}
