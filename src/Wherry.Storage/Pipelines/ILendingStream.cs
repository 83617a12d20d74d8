namespace Wherry.Storage.Pipelines;

/// <summary>A stream whose reader may look at its buffers instead of copying them to its own.</summary>
public interface ILendingStream
{
    /// <summary>The next bytes, for reading alone and only until the next call on the stream. False: this is the end.</summary>
    /// <param name="bytes">Never empty when true is returned.</param>
    bool TryLend(out ArraySegment<byte> bytes);
}
