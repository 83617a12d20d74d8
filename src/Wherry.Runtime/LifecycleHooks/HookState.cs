using System.Text.Json;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.LifecycleHooks;

/// <summary>A container's state as hooks get it on their standard input (runtime.md, "State").</summary>
/// <param name="Id">The container's.</param>
/// <param name="Status"><c>creating</c>, <c>created</c>, <c>running</c> or <c>stopped</c>.</param>
/// <param name="Pid">Of the first process, as the hook sees it; 0 when it has ended.</param>
/// <param name="Bundle">The bundle's directory.</param>
/// <param name="Annotations">The bundle's.</param>
public sealed record HookState(string Id, string Status, int Pid, string Bundle, IReadOnlyDictionary<string, string>? Annotations)
{
    private const string SpecVersion = "1.2.0";

    public static HookState Of(string id, string status, int pid, string bundle, Spec spec) => new(id, status, pid, bundle, spec.Annotations);

    public byte[] ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion", SpecVersion);
            json.WriteString("id", Id);
            json.WriteString("status", Status);
            if (Pid > 0)
            {
                json.WriteNumber("pid", Pid);
            }

            json.WriteString("bundle", Bundle);
            if (Annotations is { Count: > 0 })
            {
                json.WriteStartObject("annotations");
                foreach (var (name, value) in Annotations)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return text.ToArray();
    }
}
