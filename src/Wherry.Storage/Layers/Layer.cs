namespace Wherry.Storage.Layers;

/// <summary>An unpacked layer.</summary>
/// <param name="ChainId">Names the layer and all below it (image-spec, config.md, "Layer ChainID").</param>
/// <param name="DiffId">Digest of the uncompressed archive it was made of.</param>
/// <param name="Parent">Chain ID of the layer below; null for the lowest.</param>
/// <param name="Size">Bytes of its regular files, as an unpacked archive holds them.</param>
public sealed record Layer(string ChainId, string DiffId, string? Parent, long Size);
