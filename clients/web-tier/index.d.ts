/** A path, bytes, or a stream (which is read into memory). */
export type Source = string | Uint8Array | Blob | AsyncIterable<Uint8Array>;

export interface Options {
  /** Of the service, such as https://images.example.org. */
  baseUrl: string;
  /** With the scopes upload and read. Without one: anybody, on the machine of `make run`. */
  apiKey?: string;
  /** The flag that decides for each key. */
  flag?: string;
  /** How long an answer about the flag may take: 500 ms. */
  timeoutMs?: number;
  /** How long an upload may take until it is accepted, with all attempts: 20 s. Then the site's own code does it. */
  uploadMs?: number;
  /** How long an accepted upload waits for its derivatives: 20 s. After that its job is `processing` as yet. */
  waitMs?: number;
  /** How often an upload is sent at most: 2. */
  attempts?: number;
  /** How many shadows are on their way at once: 2. */
  shadows?: number;
  /** How many more wait at most: 8. Those that come then are dropped. */
  shadowsWaiting?: number;
  /** Fields of all uploads, such as the preset. */
  fields?: Record<string, string | number | boolean>;
  /** Called with whatever went wrong; what it throws is ignored. */
  onError?: (error: Error, about: About) => void;
}

export interface About {
  during: "flag" | "upload" | "wait" | "shadow";
  key?: string;
  /** Under which an upload was sent whose fate is unknown. */
  idempotencyKey?: string;
}

export interface Derivative {
  name: string;
  key: string;
  url: string;
  width: number;
  height: number;
  bytes: number;
  contentType: string;
}

export interface Job {
  jobId: string;
  imageId?: string;
  /** `processing`: accepted, and sure to be done; ask again by `wait`. */
  status: "processing" | "done" | "error";
  derivatives: Derivative[];
  code?: string;
  detail?: string;
}

/** What a program is told in `code`, a person in `message`. `unreachable`, `too_slow`: no answer. */
export class ImageServiceError extends Error {
  readonly code: string;
  /** HTTP's; 0 without an answer; 422 where the picture was accepted and could not be made. */
  readonly status: number;
  readonly retryAfterMs: number;
  /** Whether it has nothing to do with what was sent. */
  readonly passes: boolean;
}

export interface UploadOptions<Result> {
  /** What the flag is asked for: the same for the same person or species, so that it is not on now and off then. */
  key?: string;
  /**
   * The site's own code. Called with what is to be taken where the flag is off, and, then with an error, where the
   * service did not do it. Without it the flag is not asked, and a failure is thrown.
   */
  fallback?: (source: Source, error?: Error) => Result | Promise<Result>;
  fields?: Record<string, string | number | boolean>;
  filename?: string;
  waitMs?: number;
  /** New for each upload unless given. */
  idempotencyKey?: string;
}

export type Uploaded<Result> =
  | { by: "service"; job: Job }
  /** error: why the service did not do it, where it was asked. */
  | { by: "site"; result: Result; error?: Error };

export interface ImageService {
  isOn(key: string): Promise<boolean>;
  upload<Result>(source: Source, options?: UploadOptions<Result>): Promise<Uploaded<Result>>;
  /** The job once it is over, or as it is after `waitMs`. Throws ImageServiceError where there is no such job. */
  wait(jobId: string, options?: { waitMs?: number }): Promise<Job>;
  /**
   * Has the service make the same beside what the site has made under `legacyKey`; from what lies there unless a source is given.
   * Returns at once, and never throws.
   */
  shadow(
    legacyKey: string,
    source?: string | Uint8Array | Blob,
    options?: { fields?: Record<string, string | number | boolean> },
  ): void;
  /** Returns once no shadow is on its way: before the process ends. */
  idle(): Promise<void>;
  /** What became of uploads and shadows since the start. */
  readonly counts: {
    service: number;
    site: number;
    fellBack: number;
    shadows: { sent: number; failed: number; dropped: number };
  };
}

export function createImageService(options: Options): ImageService;
