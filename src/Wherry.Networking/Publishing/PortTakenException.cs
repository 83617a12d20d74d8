using Wherry.Errors;

namespace Wherry.Networking.Publishing;

/// <summary>
/// A host port is held by somebody else. Docker answers this with status 500, so it is a system error to clients, though
/// a conflict by nature.
/// </summary>
public sealed class PortTakenException(string message, Exception? inner = null) : WherryException(ErrorKind.System, message, inner);
