using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Wherry.Engine.Tests.Logs;

/// <summary>Writes a json-file log the way the supervisor does: whole lines, rotation by renaming from the highest number down.</summary>
internal sealed class LogWriter : IDisposable
{
    private readonly string _path;
    private readonly long _maxSize;
    private readonly int _maxFiles;
    private FileStream _file;

    public LogWriter(string path, long maxSize = long.MaxValue, int maxFiles = int.MaxValue)
    {
        _path = path;
        _maxSize = maxSize;
        _maxFiles = maxFiles;
        _file = Open();
    }

    public int Rotations { get; private set; }

    public static DateTimeOffset FirstTime { get; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static string Record(string text, string stream, DateTimeOffset time) =>
        $"{{\"log\":{JsonSerializer.Serialize(text)},\"stream\":\"{stream}\",\"time\":\"{time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture)}00Z\"}}\n";

    public void Write(string text, string stream = "stdout", DateTimeOffset? time = null) =>
        WriteRaw(Record(text, stream, time ?? FirstTime));

    public void WriteRaw(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (_file.Length > 0 && _file.Length + bytes.Length > _maxSize)
        {
            Rotate();
        }

        _file.Write(bytes);
        _file.Flush();
    }

    public void Rotate()
    {
        _file.Dispose();
        var highest = 0;
        while (File.Exists(Name(highest + 1)))
        {
            highest++;
        }

        for (var number = highest; number >= 0; number--)
        {
            if (number + 1 >= _maxFiles)
            {
                File.Delete(Name(number));
            }
            else
            {
                File.Move(Name(number), Name(number + 1), overwrite: true);
            }
        }

        Rotations++;
        _file = Open();
    }

    public void Dispose() => _file.Dispose();

    private string Name(int number) => number == 0 ? _path : $"{_path}.{number}";

    private FileStream Open() => new(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
