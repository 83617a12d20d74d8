using System.Globalization;
using System.Text.RegularExpressions;
using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>Which devices a container's programs may open, in the order the kernel is told.</summary>
internal static partial class DeviceRules
{
    public static IReadOnlyList<DeviceRule> Make(SpecInputs inputs) => inputs.Host.Privileged
        ? [new DeviceRule(Allow: true, Access: "rwm")]
        :
        [
            new DeviceRule(Allow: false, Access: "rwm"),
            .. DefaultDevices.Rules,
            .. inputs.Devices.Select(device => new DeviceRule(Allow: true, device.Node.Type, device.Node.Major, device.Node.Minor, device.Access)),
            .. (inputs.Host.DeviceCgroupRules ?? []).Select(Parse),
        ];

    /// <summary><c>c 13:* rwm</c>: type, numbers, access.</summary>
    /// <exception cref="WherryException">InvalidParameter: it is none.</exception>
    public static DeviceRule Parse(string text)
    {
        var match = Syntax().Match(text);
        if (!match.Success)
        {
            throw WherryException.Invalid($"invalid device cgroup rule format: '{text}'");
        }

        return new DeviceRule(Allow: true, match.Groups["type"].Value, Number("major"), Number("minor"), match.Groups["access"].Value);

        long? Number(string group) => match.Groups[group].Value is "*" ? null : long.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^(?<type>[acb]) (?<major>[0-9]{1,9}|\*):(?<minor>[0-9]{1,9}|\*) (?<access>[rwm]{1,3})$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Syntax();
}
