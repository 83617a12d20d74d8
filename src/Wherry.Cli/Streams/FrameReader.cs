using System.Buffers.Binary;

namespace Wherry.Cli.Streams;

/// <summary>
/// Takes apart a container's multiplexed output: frames of an 8-byte head (stream, three zeros, big-endian length)
/// and their bytes, copied to standard output and error as they arrive.
/// </summary>
internal static class FrameReader
{
    private const int HeadLength = 8;

    internal static void Copy(Stream source, Stream output, Stream error)
    {
        var buffer = new byte[32 * 1024];
        Span<byte> head = stackalloc byte[HeadLength];
        while (true)
        {
            var count = source.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false);
            if (count == 0)
            {
                return;
            }

            if (count < HeadLength)
            {
                throw new IOException("the stream ended inside a frame");
            }

            var target = head[0] switch
            {
                0 or 1 => output,
                2 => error,
                _ => throw new IOException($"Unrecognized input header: {head[0]}"),
            };
            var left = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
            while (left > 0)
            {
                var read = source.Read(buffer.AsSpan(0, (int)Math.Min((uint)buffer.Length, left)));
                if (read == 0)
                {
                    throw new IOException("the stream ended inside a frame");
                }

                target.Write(buffer.AsSpan(0, read));
                left -= (uint)read;
            }
        }
    }
}
