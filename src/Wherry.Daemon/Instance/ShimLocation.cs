using Wherry.Errors;

namespace Wherry.Daemon.Instance;

/// <summary>Finds the supervisor's executable.</summary>
internal static class ShimLocation
{
    private const string Name = "wherry-shim";
    private const string Installed = "/usr/libexec/wherry/" + Name;

    /// <param name="given">What the user said; null to look in the usual places.</param>
    public static string Find(string? given)
    {
        if (given is not null)
        {
            return File.Exists(given) ? given : throw WherryException.Invalid($"shim-path: {given} does not exist");
        }

        // As it was built; as it was installed, in bin and libexec of the same prefix; and as distributions have it.
        string[] places =
        [
            Path.Combine(AppContext.BaseDirectory, Name),
            Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../libexec/wherry", Name)),
            Installed,
        ];
        return places.FirstOrDefault(File.Exists)
            ?? throw WherryException.Invalid($"wherry-shim is at none of {string.Join(", ", places.Distinct())}: say where it is with --shim-path");
    }
}
