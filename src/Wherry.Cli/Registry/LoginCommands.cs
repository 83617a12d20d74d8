using Wherry.Cli.CommandLine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Registry;

/// <summary><c>wherry login</c>: has the engine try the credentials, then keeps them in the user's file.</summary>
internal sealed class LoginCommand : CliCommand
{
    private readonly ValueOption _password;
    private readonly FlagOption _passwordStdin;
    private readonly ValueOption _username;

    internal LoginCommand()
        : base("[OPTIONS] [SERVER]", 0, 1)
    {
        _password = Value("password", 'p', "string", "Password or Personal Access Token (PAT)");
        _passwordStdin = Flag("password-stdin", null, "Take the Password or Personal Access Token (PAT) from stdin");
        _username = Value("username", 'u', "string", "Username");
    }

    internal override int Run(Invocation invocation)
    {
        var key = StoredCredentials.KeyOf(invocation.Arguments is [var server] ? server : "");
        var store = new StoredCredentials(invocation.Context.Environment);
        var credential = Given(invocation) ?? Known(invocation, store, key) ?? Ask(invocation);
        using var response = invocation.Engine.Post("/auth", StoredCredentials.Body(credential, key));
        using var document = response.ReadJson();
        if (document.RootElement.Text("IdentityToken") is { Length: > 0 } token)
        {
            credential = credential with { Secret = token, IsToken = true };
        }

        store.Store(key, credential);
        invocation.Out.WriteLine(document.RootElement.Text("Status"));
        return 0;
    }

    private Credential? Given(Invocation invocation)
    {
        var (user, password) = (invocation.Last(_username), invocation.Last(_password));
        if (password is not null && invocation.Is(_passwordStdin))
        {
            throw new CliException("--password and --password-stdin are mutually exclusive");
        }

        if (invocation.Is(_passwordStdin))
        {
            if (string.IsNullOrEmpty(user))
            {
                throw new CliException("must provide --username with --password-stdin");
            }

            using var reader = new StreamReader(invocation.Context.Streams.Input);
            password = reader.ReadToEnd().TrimEnd('\r', '\n');
        }
        else if (password is not null)
        {
            invocation.Context.Streams.ErrorText.WriteLine("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
        }

        return password is null ? null
            : string.IsNullOrEmpty(user) ? throw new CliException("must provide --username with --password")
            : new Credential(user, password, IsToken: false);
    }

    /// <summary>Without options, credentials that are kept already are tried again.</summary>
    private Credential? Known(Invocation invocation, StoredCredentials store, string key)
    {
        if (invocation.Has(_username) || store.Find(key) is not { } known)
        {
            return null;
        }

        invocation.Context.Streams.ErrorText.WriteLine("Authenticating with existing credentials...");
        return known;
    }

    private Credential Ask(Invocation invocation)
    {
        var streams = invocation.Context.Streams;
        if (!streams.InputIsTerminal)
        {
            throw new CliException("cannot perform an interactive login from a non-terminal") { Hint = "Give --username and --password-stdin." };
        }

        using var reader = new StreamReader(streams.Input);
        var user = invocation.Last(_username);
        if (string.IsNullOrEmpty(user))
        {
            streams.ErrorText.Write("Username: ");
            streams.ErrorText.Flush();
            user = reader.ReadLine() ?? "";
        }

        streams.ErrorText.Write("Password: ");
        streams.ErrorText.Flush();
        string password;
        using (NoEcho.Enter(0))
        {
            password = reader.ReadLine() ?? "";
        }

        streams.ErrorText.WriteLine();
        return user.Length == 0 || password.Length == 0 ? throw new CliException("username and password are required") : new Credential(user, password, IsToken: false);
    }
}

/// <summary><c>wherry logout</c>.</summary>
internal sealed class LogoutCommand() : CliCommand("[SERVER]", 0, 1)
{
    internal override int Run(Invocation invocation)
    {
        var key = StoredCredentials.KeyOf(invocation.Arguments is [var server] ? server : "");
        var erased = new StoredCredentials(invocation.Context.Environment).Erase(key);
        invocation.Out.WriteLine(erased ? $"Removing login credentials for {key}" : $"Not logged in to {key}");
        return 0;
    }
}
