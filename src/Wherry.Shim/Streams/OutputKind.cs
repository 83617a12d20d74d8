namespace Wherry.Shim.Streams;

/// <summary>Which stream output belongs to, by the numbers of Docker's multiplexed frames.</summary>
public enum OutputKind : byte
{
    Stdout = 1,
    Stderr = 2,
}
