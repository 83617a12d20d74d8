using System.Diagnostics;
using System.Text;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>Runs programs of the host, with a bound on their time.</summary>
public static class Command
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(90);

    public static Task<CommandResult> RunAsync(string file, params string[] arguments) =>
        RunAsync(file, arguments, environment: null, input: null, DefaultTimeout);

    /// <param name="file">Path, or a name to look up in PATH.</param>
    /// <param name="arguments">One word each; no shell is involved.</param>
    /// <param name="environment">Variables to set; a null value removes one.</param>
    /// <param name="input">Standard input; null is an empty one.</param>
    /// <param name="timeout">After this long the program is killed and the test fails.</param>
    public static async Task<CommandResult> RunAsync(
        string file,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment,
        string? input,
        TimeSpan timeout)
    {
        var commandLine = string.Join(' ', arguments.Prepend(file));
        using var process = Start(file, arguments, environment);
        var watch = Stopwatch.StartNew();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (input is not null)
        {
            try
            {
                await process.StandardInput.WriteAsync(input);
            }
            catch (IOException)
            {
                // It ended without reading its input; its exit code says why.
            }
        }

        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Likewise: what was buffered has nobody to go to.
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            var partial = await Task.WhenAny(output, Task.Delay(1000, CancellationToken.None)) == output ? await output : "";
            throw new TimeoutException($"still running after {timeout.TotalSeconds:F0} s: {commandLine}\n{partial}", e);
        }

        return new CommandResult(commandLine, process.ExitCode, await output, await error, watch.Elapsed);
    }

    /// <summary>Starts a program with all three streams redirected; the caller owns it.</summary>
    public static Process Start(string file, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment)
    {
        var start = new ProcessStartInfo(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
    }

    /// <summary>Runs a line of shell on the host.</summary>
    public static Task<CommandResult> ShellAsync(string script) => RunAsync("/bin/sh", "-c", script);
}
