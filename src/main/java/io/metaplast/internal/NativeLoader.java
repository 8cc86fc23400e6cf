package io.metaplast.internal;

import io.metaplast.BackendUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Finds, checks and loads the native libraries. A library is loaded only if its SHA-256 is the one that the build wrote beside the classes. The bundled copy
 * is put into a directory that nobody else can write to, under a name that holds its hash, and its contents are checked again whenever it is used.
 *
 * <p>Places, in this order: the bundled copy, in the directory {@code metaplast.cacheDir} (environment METAPLAST_CACHE_DIR) or else the user's cache directory
 * or else a fresh private temporary one; without a bundled copy the directory {@code metaplast.library.path} (METAPLAST_LIBRARY_PATH), if set. Never the
 * working directory or {@code java.library.path}.
 */
public final class NativeLoader {
  /** METAPLAST_ABI_VERSION of native/include/metaplast/runtime.h that these classes were written for. */
  public static final int ABI_VERSION = 1;

  private static final int UNSUPPORTED = 3; // METAPLAST_E_UNSUPPORTED
  private static final String CACHE_PROPERTY = "metaplast.cacheDir";
  private static final String CACHE_ENVIRONMENT = "METAPLAST_CACHE_DIR";
  private static final String PATH_PROPERTY = "metaplast.library.path";
  private static final String PATH_ENVIRONMENT = "METAPLAST_LIBRARY_PATH";
  private static final String XDG_CACHE = "XDG_CACHE_HOME";
  private static final String HOME = "user.home";
  private static final String TEMPORARY = "java.io.tmpdir";
  private static final int STICKY = 01000;
  private static final int OTHERS_WRITE = 0022;
  private static final int OTHERS_ANY = 0077;

  private static final String RESOURCES = "io/metaplast/internal/native/";

  private static final Map<String, Object> LOADED = new HashMap<>(); // Path, or the exception that told why not

  private final ClassLoader bundle;
  private final Properties checksums;
  private final Map<String, String> settings;

  /**
   * For tests: a loader of its own.
   *
   * @param bundle where bundled libraries are looked up
   * @param checksums SHA-256 by file name
   * @param settings values of the properties and variables that it reads; what is missing is unset
   */
  NativeLoader(ClassLoader bundle, Properties checksums, Map<String, String> settings) {
    this.bundle = bundle;
    this.checksums = checksums;
    this.settings = settings;
  }

  /**
   * Loads a library, once per JVM.
   *
   * @param name its name without "lib" and ".so"
   * @return the file that was loaded
   * @throws BackendUnavailableException if that is not possible; the message gives the reason and the next step
   */
  public static Path load(String name) {
    synchronized (LOADED) {
      Object result = LOADED.get(name);
      if (result == null) {
        try {
          result = system().load(name, path -> System.load(path));
        } catch (BackendUnavailableException e) {
          result = e;
        }
        LOADED.put(name, result);
      }
      if (result instanceof Path path) {
        return path;
      }
      String reason = ((BackendUnavailableException) result).getMessage();
      throw new BackendUnavailableException(reason, UNSUPPORTED, 0, "");
    }
  }

  /**
   * Compares the ABI version that a loaded library reports.
   *
   * @throws BackendUnavailableException if it is another than {@link #ABI_VERSION}
   */
  public static void checkAbi(String name, int found) {
    if (found != ABI_VERSION) {
      throw unavailable(
          fileName(name) + " has ABI version " + found + ", the classes need " + ABI_VERSION + ": use classes and natives of the same release");
    }
  }

  /** The SHA-256 that the build wrote down for a library, or empty. */
  public static String checksum(String name) {
    return system().checksums.getProperty(fileName(name), "");
  }

  /** JavaCPP's name of the platform, for example linux-x86_64. */
  static String platform() {
    String arch = System.getProperty("os.arch");
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return (os.startsWith("linux") ? "linux" : os.replace(' ', '-')) + "-" + (arch.equals("amd64") ? "x86_64" : arch.equals("aarch64") ? "arm64" : arch);
  }

  private static NativeLoader system() {
    Properties checksums = new Properties();
    try (InputStream in = NativeLoader.class.getResourceAsStream("checksums.properties")) {
      if (in != null) {
        checksums.load(in);
      }
    } catch (IOException e) {
      throw unavailable("io/metaplast/internal/checksums.properties cannot be read: " + e);
    }
    Map<String, String> settings = new HashMap<>();
    put(settings, CACHE_PROPERTY, System.getProperty(CACHE_PROPERTY, System.getenv(CACHE_ENVIRONMENT)));
    put(settings, PATH_PROPERTY, System.getProperty(PATH_PROPERTY, System.getenv(PATH_ENVIRONMENT)));
    put(settings, XDG_CACHE, System.getenv(XDG_CACHE));
    put(settings, HOME, System.getProperty(HOME));
    put(settings, TEMPORARY, System.getProperty(TEMPORARY));
    return new NativeLoader(NativeLoader.class.getClassLoader(), checksums, settings);
  }

  private static void put(Map<String, String> settings, String name, String value) {
    if (value != null && !value.isBlank()) {
      settings.put(name, value);
    }
  }

  private static String fileName(String name) {
    return "lib" + name + ".so";
  }

  private static BackendUnavailableException unavailable(String reason) {
    return new BackendUnavailableException(reason, UNSUPPORTED, 0, "");
  }

  /** A place that cannot be used, and why. */
  private static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }

  /** A place that may serve a library. */
  private interface Place {
    /** The library's file there, checked. */
    Path file(String file) throws Refused;
  }

  /**
   * Tries one place after another.
   *
   * @param load loads an absolute path, as System::load
   */
  Path load(String name, Consumer<String> load) {
    String file = fileName(name);
    if (checksums.getProperty(file) == null) {
      throw unavailable(
          "this build of Metaplast has no " + file + ": the tools to build it were missing; its build names them in a line 'Metaplast native: ...'");
    }
    List<Place> places = places(file);
    if (places.isEmpty()) {
      throw unavailable(
          file + " is not on the class path: add metaplast's jar with classifier " + platform() + ", or name the directory that has it by " + PATH_PROPERTY);
    }
    Set<String> reasons = new LinkedHashSet<>();
    for (Place place : places) {
      try {
        Path path = place.file(file);
        loadFile(path, load);
        return path;
      } catch (Refused e) {
        reasons.add(e.getMessage());
      }
    }
    throw unavailable(file + " could not be loaded: " + String.join("; ", reasons));
  }

  private List<Place> places(String file) {
    List<Place> places = new ArrayList<>();
    if (bundle.getResource(RESOURCES + platform() + "/" + file) != null) {
      String explicit = settings.get(CACHE_PROPERTY);
      if (explicit != null) {
        places.add(f -> extractedAsAsked(f, explicit));
      } else {
        places.add(f -> extracted(f, privateDirectory(userCache())));
        places.add(this::extractedForThisRun);
      }
    }
    String path = settings.get(PATH_PROPERTY);
    if (path != null) {
      places.add(f -> given(f, directory(PATH_PROPERTY, path)));
    }
    return places;
  }

  private static void loadFile(Path path, Consumer<String> load) throws Refused {
    try {
      load.accept(path.toString());
    } catch (UnsatisfiedLinkError e) {
      String message = String.valueOf(e.getMessage());
      String hint =
          message.contains("failed to map segment") || message.contains("Operation not permitted")
              ? " (its file system seems to forbid execution: name another directory by " + CACHE_PROPERTY + ")"
              : "";
      throw new Refused(message + hint);
    } catch (IllegalCallerException e) {
      // JDK 24+ with --illegal-native-access=deny.
      throw new Refused("the JVM refused to load native code: " + e.getMessage() + " (allow it by --enable-native-access=ALL-UNNAMED)");
    }
  }

  // ---- directories

  private static Path directory(String property, String value) throws Refused {
    try {
      return Path.of(value).toAbsolutePath();
    } catch (InvalidPathException e) {
      throw new Refused(property + " = '" + value + "' is not a path");
    }
  }

  private Path userCache() throws Refused {
    String cache = settings.get(XDG_CACHE);
    if (cache != null && Path.of(cache).isAbsolute()) {
      return Path.of(cache, "metaplast");
    }
    String home = settings.get(HOME);
    if (home == null || !Path.of(home).isAbsolute()) {
      throw new Refused("there is no home directory");
    }
    return Path.of(home, ".cache", "metaplast");
  }

  /** Creates the directory if it is not there, and makes sure that nobody else can change what is in it. */
  private static Path privateDirectory(Path directory) throws Refused {
    try {
      if (directory.getParent() == null) {
        throw new Refused(directory + " is a root directory");
      }
      Files.createDirectories(directory.getParent());
      // Links above are followed once; from here on every path is the real one.
      Path parent = directory.getParent().toRealPath();
      Path real = parent.resolve(directory.getFileName());
      try {
        Files.createDirectory(real, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException e) {
        // checked below like one that is new
      }
      checkPrivate(real);
      checkAncestors(real);
      return real;
    } catch (IOException | UnsupportedOperationException e) {
      throw new Refused(directory + " cannot be used: " + e);
    }
  }

  private Path temporaryDirectory() throws Refused {
    try {
      String temporary = settings.get(TEMPORARY);
      if (temporary == null) {
        throw new Refused("there is no temporary directory");
      }
      // Random name, mode 0700; removed when the JVM ends, after the libraries in it.
      Path directory = Files.createTempDirectory(Path.of(temporary).toRealPath(), "metaplast");
      directory.toFile().deleteOnExit();
      checkPrivate(directory);
      checkAncestors(directory);
      return directory;
    } catch (IOException | UnsupportedOperationException e) {
      throw new Refused("no temporary directory could be made: " + e);
    }
  }

  private static void checkPrivate(Path directory) throws IOException, Refused {
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw new Refused(directory + " is not a directory (links are not followed)");
    }
    if ((mode(directory) & OTHERS_ANY) != 0) {
      throw new Refused(directory + " has mode " + octal(directory) + ": only its owner may have access (chmod 700)");
    }
    // A file made here belongs to us; so must the directory.
    Path probe = Files.createTempFile(directory, "probe", null);
    try {
      if (owner(probe) != owner(directory)) {
        throw new Refused(directory + " belongs to another user");
      }
    } finally {
      Files.delete(probe);
    }
  }

  /** Nobody else may be able to rename a directory on the way: each must be root's or ours, and not writable by others unless sticky. */
  private static void checkAncestors(Path directory) throws IOException, Refused {
    int self = owner(directory);
    for (Path above = directory.getParent(); above != null; above = above.getParent()) {
      int mode = mode(above);
      if ((mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0) {
        throw new Refused(above + " has mode " + octal(above) + ": others could replace " + directory);
      }
      int owner = owner(above);
      if (owner != self && owner != 0) {
        throw new Refused(above + " belongs to another user, who could replace " + directory);
      }
    }
  }

  private static int mode(Path path) throws IOException {
    return (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
  }

  private static int owner(Path path) throws IOException {
    return (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
  }

  private static String octal(Path path) throws IOException {
    return Integer.toOctalString(mode(path) & 07777);
  }

  // ---- files

  /** The bundled library in {@code directory}, put there if it is not there or not intact. */
  private Path extracted(String file, Path directory) throws Refused {
    String hash = checksums.getProperty(file);
    Path target = directory.resolve(file.replace(".so", "-" + hash + ".so"));
    try {
      if (intact(target, hash, owner(directory))) {
        return target;
      }
      Path fresh = Files.createTempFile(directory, file, ".new", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      try {
        write(file, fresh);
        if (!intact(fresh, hash, owner(directory))) {
          throw new Refused("the bundled " + file + " has SHA-256 " + sha256(fresh) + ", wanted " + hash + ": the jar is damaged or of another build");
        }
        // Replaces what is there, a link itself included; another process that extracts at the same time puts the same file here.
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(fresh);
      }
      return target;
    } catch (IOException e) {
      throw new Refused(file + " cannot be put into " + directory + ": " + e);
    }
  }

  private Path extractedAsAsked(String file, String directory) throws Refused {
    try {
      return extracted(file, privateDirectory(directory(CACHE_PROPERTY, directory)));
    } catch (Refused e) {
      throw new Refused(e.getMessage() + " (" + CACHE_PROPERTY + " = " + directory + ")");
    }
  }

  private Path extractedForThisRun(String file) throws Refused {
    Path directory = temporaryDirectory();
    Path target = extracted(file, directory);
    target.toFile().deleteOnExit();
    return target;
  }

  private void write(String file, Path target) throws IOException {
    try (InputStream in = bundle.getResourceAsStream(RESOURCES + platform() + "/" + file);
        FileChannel out = FileChannel.open(target, StandardOpenOption.WRITE)) {
      if (in == null) {
        throw new NoSuchFileException(RESOURCES + platform() + "/" + file);
      }
      ByteBuffer contents = ByteBuffer.wrap(in.readAllBytes());
      while (contents.hasRemaining()) {
        out.write(contents);
      }
      out.force(true);
    }
  }

  /** A library that the user put into a directory of their choice; it must be the one these classes were built with. */
  private Path given(String file, Path directory) throws Refused {
    String hash = checksums.getProperty(file);
    try {
      Path path = directory.resolve(file).toRealPath();
      String found = sha256(path);
      if (!found.equals(hash)) {
        throw new Refused(path + " has SHA-256 " + found + ", wanted " + hash + ": it is of another build");
      }
      return path;
    } catch (NoSuchFileException e) {
      throw new Refused(PATH_PROPERTY + " names " + directory + ", which has no " + file);
    } catch (IOException e) {
      throw new Refused(directory.resolve(file) + " cannot be read: " + e);
    }
  }

  /** Whether this is a plain file of ours that nobody else can change, with the right contents. */
  private static boolean intact(Path file, String hash, int owner) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && owner(file) == owner
        && (mode(file) & OTHERS_WRITE) == 0
        && sha256(file).equals(hash);
  }

  private static String sha256(Path file) throws IOException {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
