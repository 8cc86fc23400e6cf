package io.metaplast;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The golden file: vectors of every operation, with double results ({@code out}) and fp32 bits ({@code f32}). */
public final class Golden {
  private Golden() {}

  /** One vector. */
  public record Vector(JsonNode node) {
    /** Its name, for example mesuStep.4. */
    public String id() {
      return node.get("id").asText();
    }

    /** What it is a vector of. */
    public String op() {
      return node.get("op").asText();
    }

    /** An input. */
    public JsonNode in(String field) {
      return required("in", field);
    }

    /** A double result. */
    public JsonNode out(String field) {
      return required("out", field);
    }

    /** An fp32 result. */
    public JsonNode f32(String field) {
      return required("f32", field);
    }

    /** Whether there is such a field. */
    public boolean has(String part, String field) {
      return node.has(part) && node.get(part).has(field);
    }

    /** An input as a double. */
    public double number(String field) {
      return Golden.number(in(field));
    }

    /** An input, rounded to fp32. */
    public float single(String field) {
      return Golden.single(in(field));
    }

    /** Relative tolerance of {@code out}. */
    public double tolerance() {
      return node.has("rtol64") ? Double.parseDouble(node.get("rtol64").asText()) : 1e-13;
    }

    private JsonNode required(String part, String field) {
      if (!has(part, field)) {
        throw new IllegalArgumentException(id() + " has no " + part + "." + field);
      }
      return node.get(part).get(field);
    }

    @Override
    public String toString() {
      return id();
    }
  }

  /** All vectors of the Bayesian family. */
  public static List<Vector> bayes() {
    return read("/golden/bayes.json");
  }

  /** All vectors of the binarized family. */
  public static List<Vector> binary() {
    return read("/golden/binary.json");
  }

  /** All vectors of the Kronecker family. */
  public static List<Vector> kfac() {
    return read("/golden/kfac.json");
  }

  private static List<Vector> read(String resource) {
    try (InputStream in = Golden.class.getResourceAsStream(resource)) {
      List<Vector> vectors = new ArrayList<>();
      new ObjectMapper().readTree(in).get("vectors").forEach(node -> vectors.add(new Vector(node)));
      return vectors;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A decimal. */
  public static double number(JsonNode node) {
    return node.isNumber() ? node.asDouble() : Double.parseDouble(node.asText());
  }

  /** Bits, nan, or a decimal rounded to fp32. */
  public static float single(JsonNode node) {
    String text = node.asText();
    return text.startsWith("0x") ? Float.intBitsToFloat(bits(node)) : (float) (text.equals("nan") ? Double.NaN : number(node));
  }

  /** A 32-bit word; NaN is the canonical one. */
  public static int bits(JsonNode node) {
    String text = node.asText();
    return text.equals("nan") ? Bits.NAN : Integer.parseUnsignedInt(text.substring(2), 16);
  }

  /** A 64-bit word or a count. */
  public static long word64(JsonNode node) {
    return node.isNumber() ? node.asLong() : Long.parseUnsignedLong(node.asText().substring(2), 16);
  }

  /** A nested array, flattened, as fp32. */
  public static float[] singles(JsonNode node) {
    List<Float> values = new ArrayList<>();
    flatten(node, leaf -> values.add(single(leaf)));
    float[] x = new float[values.size()];
    for (int i = 0; i < x.length; i++) {
      x[i] = values.get(i);
    }
    return x;
  }

  /** A nested array, flattened, as doubles. */
  public static double[] numbers(JsonNode node) {
    List<Double> values = new ArrayList<>();
    flatten(node, leaf -> values.add(number(leaf)));
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static void flatten(JsonNode node, java.util.function.Consumer<JsonNode> leaf) {
    if (node.isArray()) {
      node.forEach(child -> flatten(child, leaf));
    } else {
      leaf.accept(node);
    }
  }
}
