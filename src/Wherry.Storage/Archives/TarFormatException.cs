using Wherry.Errors;

namespace Wherry.Storage.Archives;

/// <summary>The archive is damaged, truncated, hostile or of a form the engine does not read.</summary>
public sealed class TarFormatException(string message, Exception? inner = null) : WherryException(ErrorKind.InvalidParameter, message, inner);
