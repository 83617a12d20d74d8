using System.Globalization;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Runtime.Contracts;

namespace Wherry.Shim.Logs;

/// <summary>The log's current file and those before it: <c>.1</c>, <c>.2</c> …, the newest first.</summary>
public sealed class LogRotation : IDisposable
{
    private const int OwnerAndGroup = 0x1a0;

    private readonly LogFile _log;
    private FileDescriptor _file;
    private long _size;

    public LogRotation(LogFile log)
    {
        _log = log;
        _file = Open();
        _size = FileStatus.Of(_file).Size;
    }

    /// <summary>One more record would make the file larger than it may be (unless it is the file's first).</summary>
    /// <param name="before">Bytes to be written before it.</param>
    /// <param name="record">Its length.</param>
    public bool IsFullWith(int before, int record) => _log.MaxSizeBytes > 0 && _size + before > 0 && _size + before + record > _log.MaxSizeBytes;

    /// <summary>Writes whole records. On a full disk they are dropped whole, so that the file stays readable.</summary>
    public void Write(ReadOnlySpan<byte> records)
    {
        var start = _size;
        while (records.Length > 0)
        {
            var written = FileSyscalls.Write(_file.Number, records);
            if (written < 0)
            {
                Syscall.Call(SyscallNumber.Ftruncate, _file.Number, (nint)start);
                _size = start;
                return;
            }

            records = records[written..];
            _size += written;
        }
    }

    /// <summary>Puts the current file aside and begins a new one.</summary>
    public void Rotate()
    {
        _file.Dispose();
        if (_log.MaxFiles <= 1)
        {
            File.Delete(_log.Path);
        }
        else
        {
            for (var i = _log.MaxFiles - 1; i > 0; i--)
            {
                var from = i == 1 ? _log.Path : Numbered(i - 1);
                if (File.Exists(from))
                {
                    File.Move(from, Numbered(i), overwrite: true);
                }
            }
        }

        _file = Open();
        _size = 0;
    }

    public void Dispose() => _file.Dispose();

    private string Numbered(int number) => $"{_log.Path}.{number.ToString(CultureInfo.InvariantCulture)}";

    private FileDescriptor Open() => FileSyscalls.Open(_log.Path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Append, OwnerAndGroup);
}
