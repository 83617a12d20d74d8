using Wherry.Errors;
using Wherry.Storage.Layers;

namespace Wherry.Engine.Validation;

/// <summary>How much a container can write over its image: <c>--storage-opt size=SIZE</c>.</summary>
public static class RootSize
{
    /// <summary>What a new container's own directories take already, with room to say what is wrong.</summary>
    public const long Least = 1 << 20;

    private const string Key = "size";

    /// <summary>What a container asks for.</summary>
    /// <returns>Bytes; 0 for no limit, whatever the engine's is; null where it asks for nothing.</returns>
    /// <exception cref="WherryException">InvalidParameter: not a size, or another option; Unsupported: it can't be had here.</exception>
    public static long? Of(IReadOnlyDictionary<string, string>? options, LayerStore layers)
    {
        if (options is null || options.Count == 0)
        {
            return null;
        }

        if (options.Keys.FirstOrDefault(key => key != Key) is { } unknown)
        {
            throw WherryException.Invalid($"--storage-opt {unknown}: unknown option: use {Key}=SIZE");
        }

        var size = Parse("--storage-opt", options[Key]);
        if (size > 0)
        {
            Require(size, layers);
        }

        return size;
    }

    /// <exception cref="WherryException">Unsupported: a size is asked for, and can't be had here.</exception>
    public static void Require(long? size, LayerStore layers)
    {
        if (size > 0 && layers.WhyNoSizes is { } reason)
        {
            throw WherryException.Unsupported($"--storage-opt {Key}: {reason}");
        }
    }

    /// <summary>As Docker reads it: <c>10G</c> is 10 times 1024 to the third.</summary>
    /// <param name="option">Named in the error.</param>
    /// <param name="text">The size.</param>
    /// <exception cref="WherryException">InvalidParameter: not a size, or too small a one.</exception>
    public static long Parse(string option, string text)
    {
        var size = ByteSizes.ParseBinary(text);
        return size is 0 or >= Least ? size : throw WherryException.Invalid($"{option} {Key}={text}: too small for a container: use 1m or more, or 0 for no limit");
    }
}
