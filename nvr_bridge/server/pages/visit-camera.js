// The tablet's own camera. Browsers give it to a page only over HTTPS, or on the machine itself.

let stream = null;

export function hasCamera() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Show the camera in `video`. → whether there is one that the person lets be used. */
export async function openCamera(video) {
  closeCamera();
  try {
    const wanted = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch {
    return false;
  }
  video.srcObject = stream;
  await video.play();
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
    await new Promise((ready) => video.addEventListener("loadeddata", ready, { once: true }));
  }
  return true;
}

/** Switch it off: its light goes out. */
export function closeCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

/** What `video` shows now, as a JPEG in base64. */
export async function picture(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.92).split(",")[1];
}
