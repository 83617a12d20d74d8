using Wherry.Api.Contracts.Containers;

namespace Wherry.Cli.Parsing;

/// <summary>The value of <c>--mount</c>: <c>type=bind,source=/a,target=/b,readonly</c>.</summary>
internal static class MountSpec
{
    /// <exception cref="FormatException">The text is no mount, in Docker's words.</exception>
    internal static Mount Parse(string text)
    {
        var draft = new Draft();
        foreach (var field in CsvFields.Split(text))
        {
            draft.Take(field);
        }

        return draft.Build();
    }

    private sealed class Draft
    {
        private string _type = "volume";
        private string? _source;
        private string _target = "";
        private bool _readOnly;
        private string? _consistency;
        private BindOptions? _bind;
        private VolumeOptions? _volume;
        private ImageOptions? _image;
        private TmpfsOptions? _tmpfs;

        internal void Take(string field)
        {
            var equals = field.IndexOf('=');
            var key = (equals < 0 ? field : field[..equals]).ToLowerInvariant();
            if (equals < 0)
            {
                switch (key)
                {
                    case "readonly" or "ro":
                        _readOnly = true;
                        return;
                    case "volume-nocopy":
                        _volume = (_volume ?? new()) with { NoCopy = true };
                        return;
                    case "bind-nonrecursive":
                        throw NonRecursive();
                    default:
                        throw new FormatException($"invalid field '{field}' must be a key=value pair");
                }
            }

            TakePair(key, field[(equals + 1)..], field);
        }

        internal Mount Build()
        {
            if (_type.Length == 0)
            {
                throw new FormatException("type is required");
            }

            if (_target.Length == 0)
            {
                throw new FormatException("target is required");
            }

            Refuse("volume", _volume);
            Refuse("bind", _bind);
            Refuse("tmpfs", _tmpfs);
            Refuse("image", _image);
            if (_bind is { ReadOnlyNonRecursive: true } && !_readOnly)
            {
                throw new FormatException("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
            }

            if (_bind is { ReadOnlyForceRecursive: true })
            {
                if (!_readOnly)
                {
                    throw new FormatException("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
                }

                if (_bind.Propagation != "rprivate")
                {
                    throw new FormatException("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction");
                }
            }

            return new Mount
            {
                Type = _type,
                Source = _source,
                Target = _target,
                ReadOnly = _readOnly,
                Consistency = _consistency,
                BindOptions = _bind,
                VolumeOptions = _volume,
                ImageOptions = _image,
                TmpfsOptions = _tmpfs,
            };
        }

        private void TakePair(string key, string value, string field)
        {
            switch (key)
            {
                case "type":
                    _type = value.ToLowerInvariant();
                    break;
                case "source" or "src":
                    _source = value is "." || value.StartsWith("./", StringComparison.Ordinal) ? Path.GetFullPath(value) : value;
                    break;
                case "target" or "dst" or "destination":
                    _target = value;
                    break;
                case "readonly" or "ro":
                    _readOnly = Truth(key, value);
                    break;
                case "consistency":
                    _consistency = value.ToLowerInvariant();
                    break;
                case "bind-propagation":
                    _bind = (_bind ?? new()) with { Propagation = value.ToLowerInvariant() };
                    break;
                case "bind-nonrecursive":
                    throw NonRecursive();
                case "bind-create-mountpoint":
                    _bind = (_bind ?? new()) with { CreateMountpoint = Truth(key, value) };
                    break;
                case "bind-recursive":
                    _bind = Recursive(_bind ?? new(), value);
                    break;
                case "volume-subpath":
                    _volume = (_volume ?? new()) with { Subpath = value };
                    break;
                case "volume-nocopy":
                    _volume = (_volume ?? new()) with { NoCopy = Truth(key, value) };
                    break;
                case "volume-label":
                    _volume = (_volume ?? new()) with { Labels = With(_volume?.Labels, value) };
                    break;
                case "volume-driver":
                    _volume = (_volume ?? new()) with { DriverConfig = (_volume?.DriverConfig ?? new()) with { Name = value } };
                    break;
                case "volume-opt":
                    var driver = _volume?.DriverConfig ?? new();
                    _volume = (_volume ?? new()) with { DriverConfig = driver with { Options = With(driver.Options, value) } };
                    break;
                case "image-subpath":
                    _image = (_image ?? new()) with { Subpath = value };
                    break;
                case "tmpfs-size":
                    _tmpfs = (_tmpfs ?? new()) with { SizeBytes = Size(value) };
                    break;
                case "tmpfs-mode":
                    _tmpfs = (_tmpfs ?? new()) with { Mode = Octal(value) };
                    break;
                default:
                    throw new FormatException($"unexpected key '{key}' in '{field}'");
            }
        }

        private void Refuse(string type, object? options)
        {
            if (options is not null && _type != type)
            {
                throw new FormatException($"cannot mix '{type}-*' options with mount type '{_type}'");
            }
        }

        private static BindOptions Recursive(BindOptions bind, string value) => value switch
        {
            "enabled" => bind,
            "disabled" => bind with { NonRecursive = true },
            "writable" => bind with { ReadOnlyNonRecursive = true },
            "readonly" => bind with { ReadOnlyForceRecursive = true },
            _ => throw new FormatException($"invalid value for bind-recursive: {value} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"),
        };

        private static FormatException NonRecursive() => new("bind-nonrecursive is deprecated, use bind-recursive=disabled instead");

        private static bool Truth(string key, string value) => value switch
        {
            "1" or "t" or "T" or "TRUE" or "true" or "True" => true,
            "0" or "f" or "F" or "FALSE" or "false" or "False" => false,
            _ => throw new FormatException($"invalid value for {key}: {value}"),
        };

        private static long Size(string value)
        {
            try
            {
                return ByteSize.Parse(value);
            }
            catch (FormatException e)
            {
                throw new FormatException("invalid value for tmpfs-size: " + value, e);
            }
        }

        private static int Octal(string value)
        {
            var mode = 0;
            foreach (var digit in value)
            {
                if (digit is < '0' or > '7' || mode > 0x0FFF_FFFF)
                {
                    throw new FormatException("invalid value for tmpfs-mode: " + value);
                }

                mode = (mode << 3) | (digit - '0');
            }

            return value.Length > 0 ? mode : throw new FormatException("invalid value for tmpfs-mode: ");
        }

        private static Dictionary<string, string> With(Dictionary<string, string>? map, string pair)
        {
            map ??= [];
            var equals = pair.IndexOf('=');
            map[equals < 0 ? pair : pair[..equals]] = equals < 0 ? "" : pair[(equals + 1)..];
            return map;
        }
    }
}
