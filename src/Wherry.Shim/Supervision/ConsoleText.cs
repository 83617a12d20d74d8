using System.Text;
using Wherry.Linux.Files;

namespace Wherry.Shim.Supervision;

/// <summary>Text for whoever started this program; System.Console would bring a signal thread and a megabyte of memory.</summary>
public static class ConsoleText
{
    public static void WriteLine(int fd, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text + "\n").AsSpan();
        while (bytes.Length > 0)
        {
            var written = FileSyscalls.Write(fd, bytes);
            if (written <= 0)
            {
                return;
            }

            bytes = bytes[written..];
        }
    }
}
