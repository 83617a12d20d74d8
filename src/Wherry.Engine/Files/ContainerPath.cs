namespace Wherry.Engine.Files;

/// <summary>Paths in a container as the API gives them: always from its root, resolved by name only as far as dots go.</summary>
internal static class ContainerPath
{
    /// <summary>Absolute, without empty, <c>.</c> and <c>..</c> components.</summary>
    public static string Clean(string path)
    {
        var names = new List<string>();
        foreach (var name in path.Split('/'))
        {
            if (name == ".." && names.Count > 0)
            {
                names.RemoveAt(names.Count - 1);
            }
            else if (name is not ("" or "." or ".."))
            {
                names.Add(name);
            }
        }

        return "/" + string.Join('/', names);
    }

    public static string Parent(string path) => path.LastIndexOf('/') is var slash and > 0 ? path[..slash] : "/";

    public static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>Whether the path names what a link leads to and not the link: it ends with a slash or a dot.</summary>
    public static bool FollowsLast(string path) => path.EndsWith('/') || path.EndsWith("/.", StringComparison.Ordinal) || path is "" or ".";
}
