namespace Wherry.Engine.Volumes;

/// <summary>Paths as mounts use them: absolute, without <c>.</c>, <c>..</c>, doubled or trailing slashes, whatever exists.</summary>
internal static class MountPaths
{
    /// <summary>Go's <c>path.Clean</c> for absolute paths.</summary>
    public static string Clean(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (parts.Count > 0)
                {
                    parts.RemoveAt(parts.Count - 1);
                }
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }

    /// <summary>What is wrong with a destination, in Docker's words; null when nothing is.</summary>
    public static string? Complaint(string destination)
    {
        if (destination.Length == 0)
        {
            return "field Target must not be empty";
        }

        if (!destination.StartsWith('/'))
        {
            return $"invalid mount path: '{destination}' mount path must be absolute";
        }

        return Clean(destination) == "/" ? "invalid specification: destination can't be '/'" : null;
    }

    /// <summary>How deep a path is: parents are mounted before what is mounted on them.</summary>
    public static int Depth(string cleanPath) => cleanPath == "/" ? 0 : cleanPath.Count(letter => letter == '/');
}
