namespace Wherry.Shim.Oci;

/// <summary>The version all of Wherry's programs share.</summary>
public static class ProgramVersion
{
    public static string Text { get; } = typeof(ProgramVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
