using System.Text.Json;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>The exit record that a supervisor leaves in its state directory.</summary>
internal static class ExitFiles
{
    public static ExitRecord? Read(SandboxLocation location)
    {
        try
        {
            using var file = File.OpenRead(Path.Combine(location.StateDirectory, StateFiles.Exit));
            return JsonSerializer.Deserialize(file, SandboxJson.Default.ExitRecord);
        }
        catch (Exception absent) when (absent is IOException or JsonException)
        {
            return null;
        }
    }
}
