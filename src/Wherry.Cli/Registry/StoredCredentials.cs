using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Formatting;

namespace Wherry.Cli.Registry;

/// <summary>A user's credentials for one registry.</summary>
internal sealed record Credential(string Username, string Secret, bool IsToken);

/// <summary>
/// Credentials in the user's own file, <c>~/.docker/config.json</c> (DOCKER_CONFIG names another directory), which docker
/// reads and writes, too: in the file itself, or with the helper programs it names (<c>credHelpers</c> by registry,
/// <c>credsStore</c> for all).
/// </summary>
internal sealed class StoredCredentials(Func<string, string?> environment)
{
    private const string DockerKey = "https://index.docker.io/v1/";

    /// <summary>The user name by which a helper says that the secret is an identity token.</summary>
    private const string TokenUser = "<token>";

    internal string FilePath { get; } = Path.Combine(
        environment("DOCKER_CONFIG") is { Length: > 0 } directory ? directory : Path.Combine(environment("HOME") ?? "/root", ".docker"),
        "config.json");

    /// <summary>The key under which a registry's credentials are kept.</summary>
    internal static string KeyOf(string registry)
    {
        var host = registry.Contains("://", StringComparison.Ordinal) ? registry[(registry.IndexOf("://", StringComparison.Ordinal) + 3)..] : registry;
        host = host.Split('/')[0];
        return host is "" or "docker.io" or "index.docker.io" or "registry-1.docker.io" ? DockerKey : host;
    }

    /// <summary>The registry that an image's name begins with.</summary>
    internal static string RegistryOf(string image)
    {
        var slash = image.IndexOf('/');
        var first = slash < 0 ? "" : image[..slash];
        return first == "localhost" || first.AsSpan().ContainsAny('.', ':') ? first : "docker.io";
    }

    /// <summary>The header that carries the credentials of an image's registry to the engine; empty where there are none.</summary>
    internal string HeaderFor(string image) => Header(Find(KeyOf(RegistryOf(image))), KeyOf(RegistryOf(image)));

    internal static string Header(Credential? credential, string key) =>
        credential is null ? "" : $"X-Registry-Auth: {Convert.ToBase64String(Body(credential, key)).Replace('+', '-').Replace('/', '_')}\r\n";

    /// <summary>Credentials as the engine's API takes them.</summary>
    internal static byte[] Body(Credential credential, string key)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            writer.WriteStartObject();
            writer.WriteString(credential.IsToken ? "identitytoken" : "password", credential.Secret);
            if (!credential.IsToken)
            {
                writer.WriteString("username", credential.Username);
            }

            writer.WriteString("serveraddress", key);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    internal Credential? Find(string key)
    {
        var file = Read();
        return HelperFor(file, key) is { } helper ? Ask(helper, key) : InFile(file, key);
    }

    /// <summary>Keeps credentials; returns where, for the message.</summary>
    internal string Store(string key, Credential credential)
    {
        var file = Read();
        if (HelperFor(file, key) is { } helper)
        {
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
            {
                writer.WriteStartObject();
                writer.WriteString("ServerURL", key);
                writer.WriteString("Username", credential.IsToken ? TokenUser : credential.Username);
                writer.WriteString("Secret", credential.Secret);
                writer.WriteEndObject();
            }

            _ = RunHelper(helper, "store", Encoding.UTF8.GetString(stream.ToArray()));
            return "the credentials helper " + helper;
        }

        var entry = new JsonObject();
        if (credential.IsToken)
        {
            entry.Add("auth", JsonValue.Create(Convert.ToBase64String(Encoding.UTF8.GetBytes(credential.Username + ":"))));
            entry.Add("identitytoken", JsonValue.Create(credential.Secret));
        }
        else
        {
            entry.Add("auth", JsonValue.Create(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Secret}"))));
        }

        if (file["auths"] is not JsonObject)
        {
            file["auths"] = new JsonObject();
        }

        file["auths"]!.AsObject()[key] = entry;
        Write(file);
        return FilePath;
    }

    /// <summary>Forgets credentials; false where there were none.</summary>
    internal bool Erase(string key)
    {
        var file = Read();
        if (HelperFor(file, key) is { } helper)
        {
            _ = RunHelper(helper, "erase", key);
            return true;
        }

        if (file["auths"] is not JsonObject auths || !auths.Remove(key))
        {
            return false;
        }

        Write(file);
        return true;
    }

    private static string? HelperFor(JsonObject file, string key) =>
        Text((file["credHelpers"] as JsonObject)?[key]) ?? Text(file["credsStore"]);

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() is { Length: > 0 } text ? text : null;

    private Credential? InFile(JsonObject file, string key)
    {
        // Old files have whole addresses as keys.
        var entry = (file["auths"] as JsonObject)?.FirstOrDefault(pair => pair.Key == key || KeyOf(pair.Key) == key).Value as JsonObject;
        if (entry is null)
        {
            return null;
        }

        var user = Text(entry["username"]) ?? "";
        var password = Text(entry["password"]) ?? "";
        if (Text(entry["auth"]) is { } auth)
        {
            try
            {
                var pair = Encoding.UTF8.GetString(Convert.FromBase64String(auth)).Split(':', 2);
                (user, password) = (pair[0], pair.Length == 2 ? pair[1].TrimEnd('\0') : "");
            }
            catch (FormatException)
            {
                throw new CliException($"{FilePath}: the credentials of {key} are damaged") { Hint = $"Run 'wherry logout {key}' and log in again." };
            }
        }

        return Text(entry["identitytoken"]) is { } token ? new Credential(user, token, IsToken: true)
            : user.Length == 0 ? null
            : new Credential(user, password, IsToken: false);
    }

    private static Credential? Ask(string helper, string key)
    {
        string answer;
        try
        {
            answer = RunHelper(helper, "get", key);
        }
        catch (HelperException e) when (e.Message.Contains("credentials not found", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        using var document = JsonDocument.Parse(answer);
        var user = document.RootElement.Text("Username");
        return new Credential(user, document.RootElement.Text("Secret"), user == TokenUser);
    }

    /// <summary>Runs <c>docker-credential-NAME VERB</c> with one document on its standard input.</summary>
    private static string RunHelper(string name, string verb, string input)
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            throw new CliException($"\"{name}\" can't name a credentials helper");
        }

        var program = "docker-credential-" + name;
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, [verb]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
            Tell(process, input);
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : throw new HelperException($"{program} {verb}: {output.Trim()}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CliException($"the credentials helper {program} can't be run: {e.Message}") { Hint = "Install it, or take it out of credsStore and credHelpers in the configuration file." };
        }
    }

    private static void Tell(Process helper, string input)
    {
        try
        {
            helper.StandardInput.Write(input);
            helper.StandardInput.Close();
        }
        catch (IOException)
        {
            // It needs no input and has ended already; what it says and its exit code tell the rest.
        }
    }

    private JsonObject Read()
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(FilePath)) as JsonObject ?? throw new CliException($"{FilePath} is not a JSON object");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (JsonException e)
        {
            throw new CliException($"{FilePath} is not JSON: {e.Message}");
        }
    }

    /// <summary>Whole or not at all, and for the user's eyes alone.</summary>
    private void Write(JsonObject file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var temporary = $"{FilePath}.{Environment.ProcessId}";
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        using (var writer = new Utf8JsonWriter(stream, JsonText.Indented))
        {
            file.WriteTo(writer);
        }

        File.Move(temporary, FilePath, overwrite: true);
    }

    private sealed class HelperException(string message) : CliException(message);
}
