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

        var beside = Path.Combine(AppContext.BaseDirectory, Name);
        return File.Exists(beside) ? beside
            : File.Exists(Installed) ? Installed
            : throw WherryException.Invalid($"wherry-shim is neither at {beside} nor at {Installed}: say where it is with --shim-path");
    }
}
