namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>The host's CRIU, which on a kernel that is newer than it is may not run.</summary>
public static class Criu
{
    private static readonly Lazy<bool> Checked = new(() => Binaries.Find("criu") is { } program && Check(program));

    public static bool Works => Checked.Value;

    public static void Need() => Assert.SkipUnless(Works, "CRIU can't run on this kernel, or is not installed; eng/vm/test.sh boots a kernel that Debian's can run on");

    private static bool Check(string program)
    {
        using var check = Command.Start(program, ["check"], null);
        check.WaitForExit();
        return check.ExitCode == 0;
    }
}
