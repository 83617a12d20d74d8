using System.Text;
using System.Text.Json;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Info;
using Wherry.Api.Http;
using Wherry.Errors;
using Wherry.Images.Distribution;

namespace Wherry.Api.Images;

/// <summary>
/// Credentials as clients send them with a request: the header <c>X-Registry-Auth</c>, JSON in base64. The URL alphabet is
/// the rule; early clients used the other one, some leave out the padding, and what has nothing to say sends <c>{}</c>,
/// <c>null</c> or nothing.
/// </summary>
internal static class RegistryAuth
{
    private const string Header = "X-Registry-Auth";
    private const int LongestHeader = 64 * 1024;

    public static RegistryCredentials? Of(ApiRequest request) =>
        request.Http.Request.Headers[Header].FirstOrDefault(value => !string.IsNullOrWhiteSpace(value)) is { } value ? Parse(value) : null;

    public static RegistryCredentials? Parse(string header)
    {
        try
        {
            if (header.Length > LongestHeader)
            {
                throw new FormatException("it is too long");
            }

            var text = header.Trim().TrimEnd('=').Replace('-', '+').Replace('_', '/');
            var json = Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
            return JsonSerializer.Deserialize(json, ApiJson.Default.AuthConfig) is { } config ? Credentials(config) : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException)
        {
            throw WherryException.Invalid($"the header {Header} is malformed: it must be a JSON object in base64url", malformed);
        }
    }

    public static RegistryCredentials Credentials(AuthConfig config)
    {
        var (username, password) = (config.Username, config.Password);
        if (string.IsNullOrEmpty(username) && !string.IsNullOrEmpty(config.Auth))
        {
            // As it stands in the client's own file: both in one.
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(config.Auth)).Split(':', 2);
            (username, password) = pair.Length == 2 ? (pair[0], pair[1].TrimEnd('\0')) : throw new FormatException("auth must be user:password");
        }

        return new RegistryCredentials
        {
            Username = username,
            Password = password,
            IdentityToken = config.IdentityToken,
            RegistryToken = config.RegistryToken,
            ServerAddress = config.ServerAddress,
        };
    }
}
