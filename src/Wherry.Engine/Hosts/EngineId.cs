namespace Wherry.Engine.Hosts;

/// <summary>The engine's identity: made once, kept in its data root.</summary>
internal static class EngineId
{
    public static string ReadOrCreate(string dataRoot)
    {
        var path = Path.Combine(dataRoot, "engine-id");
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } id)
        {
            return id;
        }

        var made = Guid.NewGuid().ToString();
        File.WriteAllText(path + ".tmp", made + "\n");
        File.Move(path + ".tmp", path, overwrite: true);
        return made;
    }
}
