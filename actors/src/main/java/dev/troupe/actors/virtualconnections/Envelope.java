package dev.troupe.actors.virtualconnections;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What goes over the wire: a length of 4 bytes, big-endian, and a JSON object {@code
 * {"type":"data","id":N,"data":BASE64}} or {@code {"type":"ack","id":N}}.
 *
 * @param data null for an acknowledgement
 */
record Envelope(long id, @Nullable Bytes data) {

  private static final JsonFactory JSON = new JsonFactory();

  boolean isAcknowledgement() {
    return data == null;
  }

  /** The length and the JSON. */
  ByteBuffer encoded() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[4]);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("type", data == null ? "ack" : "data");
      json.writeNumberField("id", id);
      if (data != null) {
        json.writeBinaryField("data", data.toArray());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("an array takes everything", e);
    }
    byte[] bytes = out.toByteArray();
    return ByteBuffer.wrap(bytes).putInt(0, bytes.length - 4);
  }

  /** Reads the JSON. */
  static Envelope decode(byte[] bytes) throws MalformedException {
    String type = "";
    Long id = null;
    byte[] data = null;
    try (JsonParser json = JSON.createParser(bytes)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new MalformedException("an envelope that is no JSON object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        switch (name) {
          case "type" -> type = value == JsonToken.VALUE_STRING ? json.getText() : "";
          case "id" -> id = value == JsonToken.VALUE_NUMBER_INT ? (Long) json.getLongValue() : null;
          case "data" ->
              data =
                  value == JsonToken.VALUE_STRING
                      ? json.getBinaryValue()
                      : value == JsonToken.VALUE_NULL ? null : skip(json);
          default -> json.skipChildren();
        }
      }
    } catch (IOException e) {
      throw new MalformedException("an envelope that is no JSON: " + e.getMessage(), e);
    }
    if (id == null || !(type.equals("ack") || (type.equals("data") && data != null))) {
      throw new MalformedException("an envelope without type, id or data");
    }
    return new Envelope(id, type.equals("ack") || data == null ? null : Bytes.wrap(data));
  }

  private static byte @Nullable [] skip(JsonParser json) throws IOException {
    json.skipChildren();
    return null;
  }
}
