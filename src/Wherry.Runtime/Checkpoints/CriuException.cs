using Wherry.Errors;

namespace Wherry.Runtime.Checkpoints;

/// <summary>CRIU could not do what it was asked. Its log says more; see <see cref="CriuLog.Explain"/>.</summary>
public sealed class CriuException(string message) : WherryException(ErrorKind.System, message);
