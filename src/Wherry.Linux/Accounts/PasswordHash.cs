using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Wherry.Linux.Accounts;

/// <summary>
/// Checks a password against its stored hash with the C library's own <c>crypt</c> (crypt(3)), which knows bcrypt,
/// yescrypt and the SHA-2 schemes; a password is then as safe here as in the host's shadow file.
/// </summary>
public static class PasswordHash
{
    /// <summary>More than any C library's <c>struct crypt_data</c>: libxcrypt's takes 32 KiB, glibc's took 128.</summary>
    private const int StateSize = 256 * 1024;

    /// <summary>Schemes that cost an attacker something: bcrypt, yescrypt, gost-yescrypt, SHA-512 and SHA-256.</summary>
    private static readonly string[] StrongSchemes = ["$2a$", "$2b$", "$2y$", "$y$", "$gy$", "$6$", "$5$"];

    private static readonly Lazy<nint> Function = new(static () =>
    {
        foreach (var name in (ReadOnlySpan<string>)["libcrypt.so.1", "libcrypt.so.2", "libcrypt.so"])
        {
            if (NativeLibrary.TryLoad(name, out var library) && NativeLibrary.TryGetExport(library, "crypt_r", out var function))
            {
                return function;
            }
        }

        return 0;
    });

    /// <summary>Whether this host has the library.</summary>
    public static bool IsAvailable => Function.Value != 0;

    /// <summary>Whether a hash is of a scheme that is accepted.</summary>
    public static bool IsStrong(string hash) => Array.Exists(StrongSchemes, scheme => hash.StartsWith(scheme, StringComparison.Ordinal));

    /// <summary>Takes as long as the hash was made to cost, some 50 ms; never equal for an unknown scheme or a damaged hash.</summary>
    public static bool Matches(string password, string hash)
    {
        if (!IsAvailable || !IsStrong(hash) || password.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        var key = Encoding.UTF8.GetBytes(password + '\0');
        var setting = Encoding.UTF8.GetBytes(hash + '\0');
        // SAFETY: crypt_r(3) reads two NUL-terminated strings, which are pinned over the call, and writes into the
        // state, which is zeroed as it demands and larger than any version's; its result points into the state.
        unsafe
        {
            var state = (byte*)NativeMemory.AllocZeroed(StateSize);
            try
            {
                fixed (byte* keyPointer = key)
                fixed (byte* settingPointer = setting)
                {
                    var result = ((delegate* unmanaged<byte*, byte*, byte*, byte*>)Function.Value)(keyPointer, settingPointer, state);
                    return result != null
                        && CryptographicOperations.FixedTimeEquals(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result), setting.AsSpan(0, setting.Length - 1));
                }
            }
            finally
            {
                CryptographicOperations.ZeroMemory(new Span<byte>(state, StateSize));
                CryptographicOperations.ZeroMemory(key);
                NativeMemory.Free(state);
            }
        }
    }
}
