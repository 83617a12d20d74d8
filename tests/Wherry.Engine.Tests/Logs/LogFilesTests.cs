using System.Globalization;
using System.Text;
using Wherry.Engine.Logs;

namespace Wherry.Engine.Tests.Logs;

/// <summary>Looking at a log's files while their writer rotates them as fast as it can. Each file holds its own number.</summary>
public sealed class LogFilesTests : IDisposable
{
    private const int Rotations = 500;
    private readonly TemporaryDirectory _directory = new();

    private string Path => _directory.Combine("c-json.log");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(6)]
    [InlineData(int.MaxValue)]
    public async Task Files_opened_while_they_are_rotated_are_in_the_order_they_were_written_in(int maxFiles)
    {
        var files = new LogFiles(Path);
        var rotating = RotateAsync(maxFiles, Rotations);
        var looks = 0;
        while (!rotating.IsCompleted)
        {
            var open = files.OpenAll();
            var numbers = open.ConvertAll(NumberIn);
            open.ForEach(file => file.Dispose());
            Assert.Equal(numbers.Order(), numbers);
            Assert.Equal(numbers.Distinct(), numbers);
            looks++;
        }

        await rotating;
        Assert.True(looks > 1);
    }

    [Fact]
    public async Task No_file_is_passed_over_while_the_log_is_rotated()
    {
        File.WriteAllText(Path, "0");
        var files = new LogFiles(Path);
        var current = OpenLog.TryOpen(Path)!;
        var rotating = RotateAsync(int.MaxValue, Rotations);
        for (var number = 0; number < Rotations;)
        {
            var isOver = rotating.IsCompleted;
            if (files.TryOpenSuccessor(current) is { } successor)
            {
                current.Dispose();
                current = successor;
                Assert.Equal(++number, NumberIn(current));
            }
            else
            {
                Assert.False(isOver, $"no file is found after number {number}, and nobody writes any more");
            }
        }

        current.Dispose();
        await rotating;
    }

    /// <summary>As the supervisor does: by renaming, the highest number first. A new file appears with its number in it.</summary>
    private Task RotateAsync(int maxFiles, int rotations) => Task.Run(() =>
    {
        for (var rotation = 1; rotation <= rotations; rotation++)
        {
            for (var number = Math.Min(rotation, maxFiles) - 1; number >= 0; number--)
            {
                var from = number == 0 ? Path : $"{Path}.{number}";
                if (!File.Exists(from))
                {
                    continue;
                }

                if (number + 1 >= maxFiles)
                {
                    File.Delete(from);
                }
                else
                {
                    File.Move(from, $"{Path}.{number + 1}");
                }
            }

            var fresh = _directory.Combine("fresh");
            File.WriteAllText(fresh, rotation.ToString(CultureInfo.InvariantCulture));
            File.Move(fresh, Path);
        }
    });

    private static int NumberIn(OpenLog log)
    {
        var bytes = new byte[16];
        var length = RandomAccess.Read(log.Handle, bytes, 0);
        return int.Parse(Encoding.ASCII.GetString(bytes, 0, length), CultureInfo.InvariantCulture);
    }
}
