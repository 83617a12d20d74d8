using Wherry.Errors;

namespace Wherry.Linux.DBus;

/// <summary>The other side answered with an error, or with what is not D-Bus.</summary>
/// <param name="message">What is wrong, or what it said.</param>
/// <param name="name">Its error's name, such as <c>org.freedesktop.systemd1.NoSuchUnit</c>; null where it is no answer of its.</param>
public sealed class BusException(string message, string? name = null)
    : WherryException(ErrorKind.System, name is null ? $"D-Bus: {message}" : message)
{
    /// <summary>The name of what stands for an answer that has not come.</summary>
    public const string NoReply = "org.freedesktop.DBus.Error.NoReply";

    public string? Name { get; } = name;
}
