import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useRegions } from '../../api/context.ts';

/** How a version comes in: files are large and belong to a build, so that a command line pushes them. */
export function PushHelp({ onClose }: { readonly onClose: () => void }) {
  const { region } = useRegions();
  const command = `SLUICE_URL=${region.url || location.origin} SLUICE_API_KEY=… npm run sluice -- model push ./my-model`;
  return (
    <Modal visible header="Push a model" onDismiss={onClose} closeAriaLabel="Close">
      <SpaceBetween size="m">
        <Box variant="p">
          A folder with <code>manifest.json</code>, <code>model.onnx</code> and, if there are golden pairs,{' '}
          <code>golden.jsonl</code> is pushed from a terminal or a build. It is validated, then becomes the next
          version. The first one of a model answers at once; later ones by a release.
        </Box>
        <Command text={command} />
      </SpaceBetween>
    </Modal>
  );
}

export function Command({ text }: { readonly text: string }) {
  return (
    <div className="sluice-command">
      <pre className="sluice-json">{text}</pre>
      <CopyToClipboard
        variant="icon"
        textToCopy={text}
        copyButtonAriaLabel="Copy"
        copySuccessText="Copied"
        copyErrorText="Not copied"
      />
    </div>
  );
}
