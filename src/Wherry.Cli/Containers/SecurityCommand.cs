using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry security</c>: what protects a container, and what an attacker in it would try, worst first.</summary>
internal sealed class SecurityCommand : CliCommand
{
    private readonly FlagOption _json;
    private readonly ValueOption _format;

    internal SecurityCommand()
        : base("[OPTIONS] CONTAINER", 1, 1)
    {
        _json = Flag("json", null, "Print everything as JSON");
        _format = Value("format", 'f', "string", "Format output: 'json' or a Go template");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        var format = invocation.Is(_json) ? "json" : invocation.Last(_format);
        var template = format is null or "" or "json" ? null : Template.Parse(format);
        using var document = invocation.Engine.Get($"/wherry/containers/{Query.Segment(invocation.Arguments[0])}/security");
        var report = document.RootElement;
        if (template is not null)
        {
            invocation.Out.WriteLine(template.Apply(report));
        }
        else if (format == "json")
        {
            invocation.Out.WriteLine(TemplateValues.Json(report));
        }
        else
        {
            WriteProtection(invocation.Out, report);
            WriteFindings(invocation, report);
        }

        return 0;
    }

    private static void WriteProtection(StreamWriter output, JsonElement report)
    {
        var running = report.Truth("Running");
        Line("Container", $"{report.Text("Name")} ({report.Text("Id")[..12]}){(running ? "" : ", not running: what it is to get")}");
        if (running)
        {
            Line("User", report.Text("User") + ", ids " + Join(report.Items("UserMappings")));
        }

        Line("Privileged", report.Truth("Privileged") ? "yes" : "no");
        Line("Own namespaces", Join(report.Items("Namespaces").Where(static ns => ns.Text("Owner") == "own").Select(static ns => ns.At("Type"))));
        Line("Host's namespaces", Join(report.Items("Namespaces").Where(static ns => ns.Text("Owner") == "host").Select(static ns => ns.At("Type"))));
        if (Shared(report) is { Length: > 0 } shared)
        {
            Line("Shared namespaces", shared);
        }

        Line("Capabilities", Join(report.Items("Capabilities")).Replace("CAP_", "", StringComparison.Ordinal));
        Line("System call filter", report.Text("Seccomp"));
        Line("No new privileges", report.Truth("NoNewPrivileges") ? "yes" : "no");
        Line("Label", report.Text("AppArmor") + report.Text("SelinuxLabel") is { Length: > 0 } label ? label : "none (the kernel has no AppArmor or SELinux, or none was asked for)");
        Line("Signals and tracing", report.Truth("SignalScope") ? "end at the container (Landlock)" : "as its namespaces and capabilities allow");
        Line("Root file system", RootFilesystem(report));
        Line("Hidden of the kernel", $"{report.Number("MaskedPaths")} paths masked, {report.Number("ReadonlyPaths")} read-only");
        Line("Writable mounts", Join(report.Items("WritableMounts").Select(static mount => mount.At("Destination"))));
        Line("Host's devices", Join(report.Items("Devices")));

        void Line(string name, string value) => output.WriteLine($"{name + ":",-22}{(value.Length == 0 ? "none" : value)}");
    }

    private static string RootFilesystem(JsonElement report)
    {
        var access = report.Truth("ReadonlyRootfs") ? "read-only" : "writable";
        return report.Truth("NoSuidRoot") ? access + ", without set-user-ID" : access;
    }

    private static void WriteFindings(Invocation invocation, JsonElement report)
    {
        var table = new Table(["GRADE", "WHAT", "AN ATTACKER COULD", "FIX"], [false, true, true, true]);
        var any = false;
        foreach (var finding in report.Items("Findings"))
        {
            table.Add([finding.Text("Grade"), finding.Text("Subject"), finding.Text("Attack"), finding.Text("Fix")]);
            any = true;
        }

        invocation.Out.WriteLine();
        if (any)
        {
            table.Write(invocation.Out, width: null);
        }
        else
        {
            invocation.Out.WriteLine("Nothing stands out.");
        }
    }

    private static string Shared(JsonElement report) => string.Join(", ", report.Items("Namespaces")
        .Where(static ns => ns.Items("SharedWith").Any())
        .Select(static ns => $"{ns.Text("Type")} with {Join(ns.Items("SharedWith"))}"));

    private static string Join(IEnumerable<JsonElement> values) => string.Join(", ", values.Select(static value => value.GetString()));
}
