using Wherry.Linux.DBus;

namespace Wherry.Runtime.Systemd;

/// <summary>One property of a unit, as StartTransientUnit and SetUnitProperties take it (org.freedesktop.systemd1(5)).</summary>
/// <param name="Name">Its name on the bus.</param>
/// <param name="Value">A string, bool, ulong, uint[], byte[], the pairs of a device list, or a <see cref="Variant"/>.</param>
public sealed record UnitProperty(string Name, object Value)
{
    /// <summary>Writes the pair (sv) that stands for it.</summary>
    public void WriteTo(BusWriter writer)
    {
        writer.Align(8);
        writer.Write(Name);
        switch (Value)
        {
            case string text:
                writer.WriteSignature("s");
                writer.Write(text);
                break;
            case bool flag:
                writer.WriteSignature("b");
                writer.Write(flag);
                break;
            case ulong number:
                writer.WriteSignature("t");
                writer.Write(number);
                break;
            case uint[] numbers:
                writer.WriteSignature("au");
                writer.WriteArray(4, array => Array.ForEach(numbers, array.Write));
                break;
            case byte[] bytes:
                writer.WriteSignature("ay");
                writer.WriteArray(1, array => Array.ForEach(bytes, array.Write));
                break;
            case IReadOnlyList<DeviceEntry> devices:
                writer.WriteSignature("a(ss)");
                writer.WriteArray(8, array => Write(array, devices));
                break;
            case Variant variant:
                variant.WriteTo(writer);
                break;
            default:
                throw new InvalidOperationException($"{Name}: a property can't be a {Value.GetType()}");
        }
    }

    private static void Write(BusWriter writer, IReadOnlyList<DeviceEntry> devices)
    {
        foreach (var device in devices)
        {
            writer.Align(8);
            writer.Write(device.Node);
            writer.Write(device.Access);
        }
    }
}

/// <summary>A device or a class of devices, and what may be done with it (systemd.resource-control(5), DeviceAllow=).</summary>
/// <param name="Node">A path below /dev, or <c>char-</c> or <c>block-</c> and a driver's name or <c>*</c>.</param>
/// <param name="Access">Out of <c>rwm</c>.</param>
public sealed record DeviceEntry(string Node, string Access);
