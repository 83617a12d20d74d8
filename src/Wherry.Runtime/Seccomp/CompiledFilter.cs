using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Wherry.Runtime.Seccomp;

/// <summary>A filter ready for the kernel.</summary>
/// <param name="Instructions">The program.</param>
/// <param name="Flags">To install it with.</param>
/// <param name="Kinds">The answers it may give, for asking the kernel whether it has them.</param>
internal sealed record CompiledFilter(BpfInstruction[] Instructions, FilterFlag Flags, uint[] Kinds)
{
    private const uint Magic = 0x62706677; // "wfpb"
    private const int HeaderSize = 20;

    /// <summary>Longest form on disk.</summary>
    public const int LargestFile = HeaderSize + (16 * sizeof(uint)) + (BpfInstruction.LongestProgram * 8);

    /// <summary>Somebody must be given the descriptor on which calls are announced.</summary>
    public bool NeedsListener => (Flags & FilterFlag.NewListener) != 0;

    /// <summary>The form a filter is cached in, for the machine it was made on.</summary>
    public byte[] ToBytes()
    {
        var kinds = MemoryMarshal.AsBytes<uint>(Kinds);
        var code = MemoryMarshal.AsBytes<BpfInstruction>(Instructions);
        var bytes = new byte[HeaderSize + kinds.Length + code.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), FilterCompiler.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), (uint)Flags);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Kinds.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), Instructions.Length);
        kinds.CopyTo(bytes.AsSpan(HeaderSize));
        code.CopyTo(bytes.AsSpan(HeaderSize + kinds.Length));
        return bytes;
    }

    /// <summary>Null when they were written by another version, or not completely.</summary>
    public static CompiledFilter? TryParse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != FilterCompiler.Version)
        {
            return null;
        }

        var kinds = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        if (kinds is < 1 or > 16 || count is < 1 or > BpfInstruction.LongestProgram || bytes.Length != HeaderSize + (kinds * sizeof(uint)) + (count * 8))
        {
            return null;
        }

        return new CompiledFilter(
            MemoryMarshal.Cast<byte, BpfInstruction>(bytes[(HeaderSize + (kinds * sizeof(uint)))..]).ToArray(),
            (FilterFlag)BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            MemoryMarshal.Cast<byte, uint>(bytes.Slice(HeaderSize, kinds * sizeof(uint))).ToArray());
    }
}
