using System.Globalization;
using Wherry.Errors;

namespace Wherry.Images.Bootstrap;

/// <summary>
/// Asks the mirrors for the suite's signed Release files before anything else: they tell whether the suite exists and
/// the network is up, and their date is the time of everything in the image.
/// </summary>
internal static class ReleaseDate
{
    internal static async Task<DateTimeOffset> FetchAsync(string suite, string sourcesFile, TemporaryDirectory temporary, IReadOnlyDictionary<string, string> environment, CancellationToken cancel)
    {
        var lists = temporary.Make("lists");
        Directory.CreateDirectory(Path.Combine(lists, "partial"));
        var cache = temporary.Make("cache");
        // Every index is off: only the Release files come, and apt checks their signatures.
        string[] arguments =
        [
            "-q", "-o", $"Dir::Etc::SourceList={sourcesFile}", "-o", "Dir::Etc::SourceParts=-", "-o", $"Dir::State::Lists={lists}",
            "-o", $"Dir::Cache={cache}", "-o", "Dir::State::status=/dev/null", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2",
            "-o", "Acquire::IndexTargets::deb::Packages::DefaultEnabled=false", "-o", "Acquire::IndexTargets::deb::Translations::DefaultEnabled=false",
            "-o", "Acquire::Languages=none", "-o", "APT::Update::Error-Mode=any", "-o", "APT::Update::Post-Invoke-Success::=", "update",
        ];
        try
        {
            await ChildProcess.CaptureAsync("apt-get", arguments, environment, temporary.Path, cancel);
        }
        catch (ChildFailedException failure)
        {
            throw Explain(suite, failure);
        }
        var dates = Directory.EnumerateFiles(lists, "*Release").Select(ReadDate).OfType<DateTimeOffset>().ToList();
        return dates.Count > 0 ? dates.Max() : throw WherryException.System($"the Release files of {suite} have no date");
    }

    private static WherryException Explain(string suite, ChildFailedException failure)
    {
        var words = failure.LastLines;
        if (words.Contains("does not have a Release file", StringComparison.Ordinal) || words.Contains("404", StringComparison.Ordinal))
            return WherryException.NotFound($"unknown suite {suite}: the mirrors have no such release:\n{words}");
        if (words.Contains("NO_PUBKEY", StringComparison.Ordinal) || words.Contains("not signed", StringComparison.Ordinal))
            return WherryException.System($"the Release file of {suite} is not signed by a key this host trusts:\n{words}", failure);
        return new WherryException(ErrorKind.Unavailable, $"can't reach the mirrors (is the network up?):\n{words}", failure);
    }

    private static DateTimeOffset? ReadDate(string file)
    {
        var line = File.ReadLines(file).Take(40).FirstOrDefault(line => line.StartsWith("Date: ", StringComparison.Ordinal));
        return line is not null && DateTimeOffset.TryParseExact(
            line[6..].Trim(), "ddd, d MMM yyyy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;
    }
}
