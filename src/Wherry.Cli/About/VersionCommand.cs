using System.Runtime.InteropServices;
using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;

namespace Wherry.Cli.About;

/// <summary><c>wherry version</c>.</summary>
internal sealed class VersionCommand : CliCommand
{
    private readonly ValueOption _format;

    internal VersionCommand()
        : base("[OPTIONS]", 0, 0)
        => _format = Value("format", 'f', "string", "Format output: 'json' or a Go template");

    internal static string ClientVersion => typeof(VersionCommand).Assembly.GetName().Version is { } version ? version.ToString(3) : "unknown";

    internal override int Run(Invocation invocation)
    {
        var format = invocation.Last(_format);
        var template = format is null or "" or "json" ? null : Template.Parse(format);
        JsonDocument? server = null;
        CliException? failure = null;
        try
        {
            server = invocation.Engine.Get("/version");
        }
        catch (CliException e)
        {
            failure = e; // The client's half is worth showing without an engine.
        }

        using (server)
        {
            using var both = Compose(server);
            if (format == "json")
            {
                invocation.Out.WriteLine(TemplateValues.Json(both.RootElement));
            }
            else if (template is not null)
            {
                invocation.Out.WriteLine(template.Apply(both.RootElement));
            }
            else
            {
                Print(invocation.Out, both.RootElement);
            }
        }

        return failure is null ? 0 : throw failure;
    }

    private static JsonDocument Compose(JsonDocument? server)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("Client");
            writer.WriteString("Version", ClientVersion);
            writer.WriteString("Os", "linux");
            writer.WriteString("Arch", Architecture);
            writer.WriteString("Runtime", $".NET {Environment.Version}");
            writer.WriteEndObject();
            if (server is null)
            {
                writer.WriteNull("Server");
            }
            else
            {
                writer.WritePropertyName("Server");
                server.RootElement.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return JsonDocument.Parse(stream.ToArray());
    }

    private static string Architecture => RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    private static void Print(TextWriter output, JsonElement both)
    {
        output.WriteLine("Client: Wherry");
        Line(output, "Version", both.Text("Client", "Version"));
        Line(output, "OS/Arch", $"{both.Text("Client", "Os")}/{both.Text("Client", "Arch")}");
        var server = both.At("Server");
        if (server.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine($"Server: {server.Text("Platform", "Name")}".TrimEnd());
        Line(output, "Version", server.Text("Version"));
        Line(output, "API version", $"{server.Text("ApiVersion")} (minimum version {server.Text("MinAPIVersion")})");
        Line(output, "Git commit", server.Text("GitCommit"));
        Line(output, "Built", server.Text("BuildTime"));
        Line(output, "OS/Arch", $"{server.Text("Os")}/{server.Text("Arch")}");
        Line(output, "Kernel", server.Text("KernelVersion"));
        foreach (var component in server.Items("Components"))
        {
            output.WriteLine($" {component.Text("Name")}:");
            output.WriteLine($"  {"Version:",-17} {component.Text("Version")}");
        }
    }

    private static void Line(TextWriter output, string name, string value)
    {
        if (value.Length > 0)
        {
            output.WriteLine($" {name + ":",-18} {value}");
        }
    }
}
