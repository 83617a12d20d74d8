namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>What a list says about a test of another project's suite; the list's own head explains the words.</summary>
public enum SuiteKind
{
    Differs,
    Unfit,
    Machine,
    Also,
    Systemd,
    Slow,
}

/// <summary>Where a suite is run, and so what of it.</summary>
public enum SuitePlace
{
    Host,
    Machine,
    Systemd,
    Slow,
}

/// <summary>The tests of another project's suite that are not simply run and passed everywhere.</summary>
public sealed class SuiteList
{
    private const string AllOfFile = "*";

    private readonly List<(SuiteKind Kind, string File, string Test)> _lines = [];

    /// <exception cref="InvalidDataException">A line is none.</exception>
    public static SuiteList Read(string path)
    {
        var list = new SuiteList();
        foreach (var line in File.ReadLines(path).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var end = words.Length == 3 ? words[2].IndexOf(" #", StringComparison.Ordinal) : -1;
            if (end < 0 || !Enum.TryParse<SuiteKind>(words[0], ignoreCase: true, out var kind))
            {
                throw new InvalidDataException($"{path}: \"{line}\" is not KIND FILE TEST # why");
            }

            list._lines.Add((kind, words[1], words[2][..end].TrimEnd()));
        }

        return list;
    }

    /// <summary>The names that are listed so, for a check that they still are the suite's.</summary>
    public IEnumerable<string> Names(string file) => _lines.Where(line => line.File == file && line.Test != AllOfFile).Select(line => line.Test);

    public bool Differs(string file, string test) => Is(SuiteKind.Differs, file, test);

    /// <summary>Whether that test is run there.</summary>
    public bool IsRun(SuitePlace place, string file, string test) => place switch
    {
        SuitePlace.Machine => Is(SuiteKind.Machine, file, test) || Is(SuiteKind.Also, file, test),
        SuitePlace.Systemd => Is(SuiteKind.Systemd, file, test),
        SuitePlace.Slow => Is(SuiteKind.Slow, file, test),
        _ => !Is(SuiteKind.Unfit, file, test) && !Is(SuiteKind.Machine, file, test) && !Is(SuiteKind.Slow, file, test),
    };

    /// <summary>Whether anything of that file may be run there.</summary>
    public bool Concerns(SuitePlace place, string file) => place == SuitePlace.Host || _lines.Exists(line => line.File == file && IsRun(place, file, line.Test));

    private bool Is(SuiteKind kind, string file, string test) =>
        _lines.Exists(line => line.Kind == kind && line.File == file && (line.Test == AllOfFile || line.Test == test));
}
