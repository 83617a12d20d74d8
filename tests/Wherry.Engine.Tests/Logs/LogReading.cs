using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Wherry.Engine.Logs;

namespace Wherry.Engine.Tests.Logs;

/// <summary>Reads a log as a client would and takes the frames apart.</summary>
internal static class LogReading
{
    public static readonly LogQuery Everything = new() { Stdout = true, Stderr = true };

    public static async Task<string> ReadPlainAsync(string path, LogQuery query, Task? ended = null)
    {
        var pipe = new Pipe();
        var reading = ReadToEndAsync(pipe.Reader);
        await LogReader.ReadAsync(path, query, tty: true, ended ?? Task.CompletedTask, pipe.Writer, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        return Encoding.UTF8.GetString(await reading);
    }

    public static async Task<List<(byte Stream, string Text)>> ReadFramesAsync(string path, LogQuery query)
    {
        var pipe = new Pipe();
        var reading = ReadToEndAsync(pipe.Reader);
        await LogReader.ReadAsync(path, query, tty: false, Task.CompletedTask, pipe.Writer, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        var bytes = await reading;
        var frames = new List<(byte, string)>();
        for (var offset = 0; offset < bytes.Length;)
        {
            Assert.Equal(0, bytes[offset + 1] | bytes[offset + 2] | bytes[offset + 3]);
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(offset + 4));
            frames.Add((bytes[offset], Encoding.UTF8.GetString(bytes, offset + 8, length)));
            offset += 8 + length;
        }

        return frames;
    }

    private static async Task<byte[]> ReadToEndAsync(PipeReader reader)
    {
        using var all = new MemoryStream();
        await reader.CopyToAsync(all);
        return all.ToArray();
    }
}
