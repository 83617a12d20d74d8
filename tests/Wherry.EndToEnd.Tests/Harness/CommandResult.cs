using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>What a command left: its exit code and everything it wrote.</summary>
public sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Error, TimeSpan Elapsed)
{
    /// <summary>Standard output without the last line's end.</summary>
    public string Text => Output.TrimEnd('\n', '\r');

    public string[] Lines => Text.Length == 0 ? [] : Text.Split('\n').Select(line => line.TrimEnd('\r')).ToArray();

    /// <summary>Passes the result on when the command succeeded.</summary>
    public CommandResult Succeeded() => Exited(0);

    public CommandResult Exited(int code)
    {
        if (ExitCode != code)
        {
            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"expected exit code {code}\n{this}"));
        }

        return this;
    }

    /// <summary>Checks that it failed with this code and said this on standard error.</summary>
    public CommandResult Failed(int code, string error)
    {
        Exited(code);
        if (!Error.Contains(error, StringComparison.OrdinalIgnoreCase))
        {
            Assert.Fail($"expected \"{error}\" on standard error\n{this}");
        }

        return this;
    }

    /// <summary>Checks that it failed, whatever the code, and said this on standard error.</summary>
    public CommandResult Refused(string error)
    {
        if (ExitCode == 0)
        {
            Assert.Fail($"expected a failure\n{this}");
        }

        return Failed(ExitCode, error);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"$ {CommandLine}\nexit code {ExitCode} after {Elapsed.TotalMilliseconds:F0} ms\n--- standard output\n{Output}\n--- standard error\n{Error}");
}
