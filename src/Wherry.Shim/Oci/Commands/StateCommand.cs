using System.Text;
using System.Text.Json;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>state</c>: runtime-spec's state and what runc adds to it.</summary>
public sealed class StateCommand : ICommand
{
    public OptionTable Options => new("state ID");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        using var container = Container.Open(global.Root, parsed.RequireId("state"));
        var status = container.Status();
        ConsoleText.WriteLine(1, Encoding.UTF8.GetString(JsonText.Write(json => Write(json, container.State, status, owner: ""), indented: true)));
        return 0;
    }

    internal static void Write(Utf8JsonWriter json, ContainerState state, ContainerStatus status, string owner)
    {
        json.WriteStartObject();
        json.WriteString("ociVersion", state.OciVersion);
        json.WriteString("id", state.Id);
        json.WriteNumber("pid", status == ContainerStatus.Stopped ? 0 : state.Pid);
        json.WriteString("status", status.Text());
        json.WriteString("bundle", state.Bundle);
        json.WriteString("rootfs", state.Rootfs);
        json.WriteString("created", state.Created.UtcDateTime);
        if (state.Annotations.Count > 0)
        {
            JsonText.WriteMap(json, "annotations", state.Annotations);
        }

        json.WriteString("owner", owner);
        json.WriteEndObject();
    }
}
