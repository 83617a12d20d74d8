using Wherry.Errors;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>A command's words are not those it takes; its help is shown with the error.</summary>
public sealed class UsageException(string message) : WherryException(ErrorKind.InvalidParameter, message);
