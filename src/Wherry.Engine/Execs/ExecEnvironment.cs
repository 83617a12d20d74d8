namespace Wherry.Engine.Execs;

/// <summary>The environment of an exec: the container's own, with what was asked for on top.</summary>
internal static class ExecEnvironment
{
    /// <param name="container">The container's variables, <c>NAME=value</c>.</param>
    /// <param name="asked">Variables that replace or add; a name without <c>=</c> takes the variable away.</param>
    /// <param name="tty">A terminal adds TERM where nobody else has set it.</param>
    public static IReadOnlyList<string> Compose(IReadOnlyList<string> container, IReadOnlyList<string> asked, bool tty)
    {
        var composed = new List<string>(container);
        foreach (var variable in asked)
        {
            var name = NameOf(variable);
            var index = composed.FindIndex(known => NameOf(known) == name);
            if (!variable.Contains('='))
            {
                composed.RemoveAll(known => NameOf(known) == name);
            }
            else if (index >= 0)
            {
                composed[index] = variable;
            }
            else
            {
                composed.Add(variable);
            }
        }

        if (tty && !composed.Exists(variable => NameOf(variable) == "TERM"))
        {
            composed.Add("TERM=xterm");
        }

        return composed;
    }

    private static string NameOf(string variable)
    {
        var equals = variable.IndexOf('=');
        return equals < 0 ? variable : variable[..equals];
    }
}
