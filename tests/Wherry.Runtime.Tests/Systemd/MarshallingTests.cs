using Wherry.Linux.DBus;
using Wherry.Runtime.Systemd;

namespace Wherry.Runtime.Tests.Systemd;

/// <summary>Bytes on the wire, against what the D-Bus specification says they are.</summary>
public sealed class MarshallingTests
{
    // Fixed part; then path, interface, member and signature, each at a multiple of eight; then the body.
    private const string CallBytes = """
        6c 01 00 01 0c 00 00 00 01 00 00 00 38 00 00 00
        01 01 6f 00 01 00 00 00 2f 00 00 00 00 00 00 00
        02 01 73 00 03 00 00 00 61 2e 62 00 00 00 00 00
        03 01 73 00 01 00 00 00 4d 00 00 00 00 00 00 00
        08 01 67 00 02 73 75 00
        03 00 00 00 68 c3 a9 00 07 00 00 00
        """;

    [Fact]
    public void A_call_is_laid_out_as_the_specification_says()
    {
        var body = new BusWriter();
        body.Write("hé");
        body.Write(7u);
        var call = new BusMessage { Kind = BusMessageKind.Call, Serial = 1, Path = "/", Interface = "a.b", Member = "M", Signature = "su", Body = body.Written.ToArray() };
        Assert.Equal(Bytes(CallBytes), call.ToBytes());
    }

    [Fact]
    public void A_message_reads_back_as_it_was_written()
    {
        var bytes = Bytes(CallBytes);
        Assert.Equal(bytes.Length, BusMessage.LengthOf(bytes));
        var call = BusMessage.Parse(bytes);
        Assert.Equal((BusMessageKind.Call, 1u, "/", "a.b", "M", "su"), (call.Kind, call.Serial, call.Path, call.Interface, call.Member, call.Signature));
        var reader = new BusReader(call.Body);
        Assert.Equal("hé", reader.ReadString());
        Assert.Equal(7u, reader.ReadUInt32());
    }

    [Fact]
    public void Properties_are_pairs_of_a_name_and_a_value_that_says_its_type()
    {
        Assert.Equal(
            Bytes("09 00 00 00 4d 65 6d 6f 72 79 4d 61 78 00 01 74 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00 00"),
            Written(new UnitProperty("MemoryMax", 67_108_864UL)));
        Assert.Equal(
            Bytes("04 00 00 00 50 49 44 73 00 02 61 75 00 00 00 00 08 00 00 00 01 00 00 00 02 00 00 00"),
            Written(new UnitProperty("PIDs", new uint[] { 1, 2 })));
        Assert.Equal(
            Bytes("08 00 00 00 44 65 6c 65 67 61 74 65 00 01 62 00 01 00 00 00"),
            Written(new UnitProperty("Delegate", true)));
        Assert.Equal(
            Bytes("01 00 00 00 44 00 05 61 28 73 73 29 00 00 00 00 12 00 00 00 00 00 00 00 06 00 00 00 63 68 61 72 2d 2a 00 00 01 00 00 00 72 00"),
            Written(new UnitProperty("D", (IReadOnlyList<DeviceEntry>)[new DeviceEntry("char-*", "r")])));
    }

    [Fact]
    public void An_empty_array_still_pads_to_its_elements()
    {
        var writer = new BusWriter();
        writer.WriteArray(8, _ => { });
        Assert.Equal(new byte[8], writer.Written.ToArray());
    }

    [Fact]
    public void A_message_cut_short_or_changed_anywhere_is_refused_or_read_and_never_more()
    {
        var bytes = Bytes(CallBytes);
        for (var length = BusMessage.FixedSize; length < bytes.Length; length++)
        {
            Assert.Throws<BusException>(() => BusMessage.Parse(bytes.AsSpan(0, length)));
        }

        for (var at = 0; at < bytes.Length; at++)
        {
            foreach (var value in new byte[] { 0, 1, 0x7f, 0x80, 0xff })
            {
                var changed = bytes.ToArray();
                changed[at] = value;
                try
                {
                    BusMessage.Parse(changed);
                }
                catch (BusException)
                {
                }
            }
        }
    }

    private static byte[] Written(UnitProperty property)
    {
        var writer = new BusWriter();
        property.WriteTo(writer);
        return writer.Written.ToArray();
    }

    private static byte[] Bytes(string hexadecimal) => Convert.FromHexString(hexadecimal.Replace(" ", "", StringComparison.Ordinal).ReplaceLineEndings(""));
}
