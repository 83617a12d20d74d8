using System.Security.Cryptography;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>Names of containers: which are allowed, and new ones for containers whose user gave none.</summary>
public static class ContainerNames
{
    /// <summary>The pattern in Docker's words, as errors show it.</summary>
    public const string Allowed = "[a-zA-Z0-9][a-zA-Z0-9_.-]";

    private static readonly string[] Adjectives =
    [
        "able", "agile", "airy", "amber", "ample", "avid", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid",
        "cheery", "clever", "coastal", "cosy", "crisp", "curious", "daring", "dapper", "deft", "eager", "earnest", "easy",
        "elegant", "fair", "fearless", "festive", "fleet", "fluent", "fond", "frank", "fresh", "gallant", "gentle", "glad",
        "golden", "graceful", "grand", "hale", "handy", "hardy", "hearty", "helpful", "honest", "humble", "ideal", "jaunty",
        "jolly", "jovial", "joyful", "keen", "kind", "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mighty",
        "modest", "neat", "nimble", "noble", "patient", "peaceful", "placid", "plucky", "polite", "prime", "proud", "quick",
        "quiet", "rapid", "ready", "robust", "rosy", "rustic", "sage", "serene", "sharp", "silent", "silver", "sincere",
        "sleek", "smart", "snug", "solid", "sound", "spry", "stable", "steady", "stellar", "stout", "sturdy", "sunny",
        "swift", "tidy", "tranquil", "trusty", "upbeat", "valiant", "vivid", "warm", "wily", "wise", "witty", "zesty",
    ];

    /// <summary>People who built ships, charted waters, or taught machines to carry our cargo.</summary>
    private static readonly string[] Surnames =
    [
        "amundsen", "anning", "babbage", "backus", "baret", "bartik", "battuta", "beaufort", "bering", "bernoulli", "bly",
        "boole", "borg", "bowditch", "brahe", "brunel", "cabot", "carson", "cerf", "church", "codd", "cook", "cousteau",
        "curie", "dijkstra", "drake", "dufour", "earhart", "earle", "eratosthenes", "euler", "faraday", "fitzroy", "floyd",
        "flinders", "franklin", "froude", "fulton", "galileo", "gama", "gauss", "goldberg", "halley", "hamilton", "harrison",
        "herschel", "hoare", "hopper", "hudson", "huygens", "hypatia", "jemison", "johnson", "kepler", "kernighan",
        "kilburn", "knuth", "kovalevskaya", "lamarr", "lamport", "leibniz", "liskov", "lovelace", "magellan", "maury",
        "maxwell", "mccarthy", "mccarty", "mclean", "mercator", "meitner", "mirzakhani", "morse", "nansen", "napier",
        "naur", "newcomen", "noether", "pascal", "perlman", "plimsoll", "polo", "ptolemy", "ramanujan", "ritchie",
        "sammet", "shackleton", "shannon", "sinclair", "slocum", "somerville", "stevin", "stokes", "tasman",
        "tharp", "thompson", "torvalds", "turing", "vespucci", "watt", "wilkes", "wirth", "yonath", "zheng", "zuse",
    ];

    /// <summary>A random name, <c>adjective_surname</c>; from the second attempt on with a digit, so that it soon is a free one.</summary>
    /// <param name="attempt">How many names were already found taken.</param>
    public static string Generate(int attempt = 0)
    {
        var name = Adjectives[RandomNumberGenerator.GetInt32(Adjectives.Length)] + "_" + Surnames[RandomNumberGenerator.GetInt32(Surnames.Length)];
        if (attempt == 0)
        {
            return name;
        }

        // Ten times the room with every attempt: however many containers there are, the loop is short.
        var room = (int)Math.Min(Math.Pow(10, attempt), 1_000_000_000);
        return name + RandomNumberGenerator.GetInt32(room);
    }

    /// <summary>The name without the slash API clients may put before it.</summary>
    /// <exception cref="WherryException">InvalidParameter: it has other characters than names may have.</exception>
    public static string Validate(string name)
    {
        var bare = name.StartsWith('/') ? name[1..] : name;
        return IsRestricted(bare) ? bare : throw WherryException.Invalid($"Invalid container name ({name}), only {Allowed} are allowed");
    }

    /// <summary>Two or more characters out of letters, digits, <c>_</c>, <c>.</c> and <c>-</c>, a letter or digit first: the rule for volumes too.</summary>
    public static bool IsRestricted(string name) =>
        name.Length >= 2
        && char.IsAsciiLetterOrDigit(name[0])
        && name.AsSpan(1).IndexOfAnyExcept(RestrictedCharacters) < 0;

    private static readonly System.Buffers.SearchValues<char> RestrictedCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
}
