using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;

namespace Wherry.Cli.About;

/// <summary><c>wherry info</c>.</summary>
internal sealed class InfoCommand : CliCommand
{
    private readonly ValueOption _format;

    internal InfoCommand()
        : base("[OPTIONS]", 0, 0)
        => _format = Value("format", 'f', "string", "Format output: 'json' or a Go template");

    internal override int Run(Invocation invocation)
    {
        var format = invocation.Last(_format);
        var template = format is null or "" or "json" ? null : Template.Parse(format);
        using var document = invocation.Engine.Get("/info");
        var info = document.RootElement;
        if (format == "json")
        {
            invocation.Out.WriteLine(TemplateValues.Json(info));
        }
        else if (template is not null)
        {
            invocation.Out.WriteLine(template.Apply(info));
        }
        else
        {
            Print(invocation.Out, info);
            foreach (var warning in info.Items("Warnings"))
            {
                invocation.Context.Streams.ErrorText.WriteLine(warning.GetString());
            }
        }

        return 0;
    }

    private static void Print(TextWriter output, JsonElement info)
    {
        void Line(string name, string value)
        {
            if (value.Length > 0)
            {
                output.WriteLine($" {name}: {value}");
            }
        }

        output.WriteLine("Server:");
        output.WriteLine($" Containers: {info.Number("Containers")}");
        output.WriteLine($"  Running: {info.Number("ContainersRunning")}");
        output.WriteLine($"  Paused: {info.Number("ContainersPaused")}");
        output.WriteLine($"  Stopped: {info.Number("ContainersStopped")}");
        output.WriteLine($" Images: {info.Number("Images")}");
        Line("Server Version", info.Text("ServerVersion"));
        Line("Storage Driver", info.Text("Driver"));
        foreach (var pair in info.Items("DriverStatus").Where(static p => p.GetArrayLength() == 2))
        {
            output.WriteLine($"  {pair[0].GetString()}: {pair[1].GetString()}");
        }

        Line("Logging Driver", info.Text("LoggingDriver"));
        Line("Cgroup Driver", info.Text("CgroupDriver"));
        Line("Cgroup Version", info.Text("CgroupVersion"));
        var volumes = string.Join(' ', info.Items("Plugins", "Volume").Select(static p => p.GetString()));
        var networks = string.Join(' ', info.Items("Plugins", "Network").Select(static p => p.GetString()));
        if (volumes.Length + networks.Length > 0)
        {
            output.WriteLine(" Plugins:");
            output.WriteLine($"  Volume: {volumes}");
            output.WriteLine($"  Network: {networks}");
        }

        Line("Runtimes", string.Join(' ', info.Members("Runtimes").Select(static r => r.Name)));
        Line("Default Runtime", info.Text("DefaultRuntime"));
        Line("Init Binary", info.Text("InitBinary"));
        var security = info.Items("SecurityOptions").ToArray();
        if (security.Length > 0)
        {
            output.WriteLine(" Security Options:");
            foreach (var option in security)
            {
                output.WriteLine($"  {option.GetString()}");
            }
        }

        Line("Kernel Version", info.Text("KernelVersion"));
        Line("Operating System", info.Text("OperatingSystem"));
        Line("OSType", info.Text("OSType"));
        Line("Architecture", info.Text("Architecture"));
        output.WriteLine($" CPUs: {info.Number("NCPU")}");
        output.WriteLine($" Total Memory: {info.Number("MemTotal") / (1024.0 * 1024 * 1024):0.###}GiB");
        Line("Name", info.Text("Name"));
        Line("ID", info.Text("ID"));
        Line("Root Dir", info.Text("DockerRootDir"));
        output.WriteLine($" Debug Mode: {(info.Truth("Debug") ? "true" : "false")}");
        var labels = info.Items("Labels").ToArray();
        if (labels.Length > 0)
        {
            output.WriteLine(" Labels:");
            foreach (var label in labels)
            {
                output.WriteLine($"  {label.GetString()}");
            }
        }
    }
}
