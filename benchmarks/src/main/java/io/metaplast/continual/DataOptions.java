package io.metaplast.continual;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which images an experiment learns. */
final class DataOptions {
  private static final int SYNTHETIC_TRAIN = 60_000;
  private static final int SYNTHETIC_TEST = 10_000;

  @Option(names = "--data", paramLabel = "DIR",
      description = "Folder with MNIST in IDX files, plain or gzip; without it, synthetic digits.")
  private Path data;

  @Option(names = "--no-checksum", description = "Accept other sets with MNIST's file names; else size and SHA-256 must be MNIST's.")
  private boolean noChecksum;

  /** Whether a folder was named. */
  boolean given() {
    return data != null;
  }

  /** Loads or generates the images; {@code outOfDistributionOrNull} is the folder of another set. */
  LearnData load(Path outOfDistributionOrNull) throws IOException {
    return data == null
        ? LearnData.synthetic(SYNTHETIC_TRAIN, SYNTHETIC_TEST, outOfDistributionOrNull)
        : LearnData.load(data, !noChecksum, outOfDistributionOrNull);
  }

  /** The set's name in that of a folder. */
  String set() {
    return data == null ? "synthetic" : noChecksum ? "other" : "mnist";
  }
}
